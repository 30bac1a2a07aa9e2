#include "app/commands/program.h"

int main(int argc, char** argv) { return godwit::app::run_program(argc, argv); }
