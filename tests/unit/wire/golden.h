#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "wire_helpers.h"

namespace godwit::wire {

/// What the encoder makes of every sample, by the name of its file in golden/.
std::map<std::string, ByteVector> encoded_samples();

/// Hexadecimal bytes; what stands behind a semicolon explains them.
ByteVector bytes_of_hex(const std::string& text);

/// golden/NAME.hex
ByteVector golden(const std::string& name);

std::string text_of_file(const std::filesystem::path& path);

}  // namespace godwit::wire
