#include "app/lint/luacheck.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <regex>
#include <sstream>

extern char** environ;

namespace godwit::app {
namespace {

constexpr int kNotFound = 127;  ///< what a shell says, too, when there is no such program

struct Output {
  int exit_code = 0;
  std::string text;
};

tl::unexpected<Error> not_run(std::string_view what) {
  return fail(Code::kFileUnreadable, "luacheck cannot be run: " + std::string(what));
}

std::string read_all(int pipe) {
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t size = 0;
  while ((size = ::read(pipe, buffer.data(), buffer.size())) > 0 || (size < 0 && errno == EINTR)) {
    if (size > 0) text.append(buffer.data(), static_cast<size_t>(size));
  }
  return text;
}

/// Runs a program of the PATH in a folder and waits for its end; what it prints, both streams.
Result<Output> run_program(std::vector<std::string> words, const std::filesystem::path& folder) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return not_run("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  Output output;
  if (spawned == 0) output.text = read_all(pipe[0]);
  ::close(pipe[0]);
  if (spawned == ENOENT) return Output{kNotFound, {}};
  if (spawned != 0) return not_run("it does not start");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

/// A file that lasts as long as this does.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& text) : path_(std::filesystem::temp_directory_path() / "godwit-lint-XXXXXX") {
    std::string name = path_.string();
    const int file = ::mkstemp(name.data());
    if (file >= 0) ::close(file);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~ScratchFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

std::vector<Finding> parse(const std::string& text) {
  static const std::regex line_format(R"(([^:]+):(\d+):(\d+): (.*))");
  std::vector<Finding> findings;
  std::istringstream lines(text);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, match, line_format))
      findings.push_back({match[1], std::stoi(match[2]), std::stoi(match[3]), match[4]});
  }
  return findings;
}

}  // namespace

Result<std::optional<std::vector<Finding>>> run_luacheck(const std::filesystem::path& folder,
                                                         const std::vector<std::string>& files,
                                                         const std::string& config) {
  const ScratchFile defaults(config);
  std::vector<std::string> words{"luacheck", "--default-config", defaults.path(), "--formatter", "plain",
                                 "--codes",  "--no-color",       "--ignore",      "11.",         "--"};
  for (const std::string& file : files) words.push_back("./" + file);
  const auto output = run_program(std::move(words), folder);
  if (!output) return tl::unexpected(output.error());
  if (output->exit_code == kNotFound) return std::nullopt;
  auto findings = parse(output->text);
  // 0: clean, 1: warnings, 2: errors in the code; beyond, it could not do its work.
  if (output->exit_code > 2 || output->exit_code < 0) return not_run(output->text);
  for (Finding& finding : findings) {
    if (finding.file.starts_with("./")) finding.file.erase(0, 2);
  }
  return findings;
}

}  // namespace godwit::app
