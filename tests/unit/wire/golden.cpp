#include "golden.h"

#include <fstream>
#include <sstream>

#include "samples.h"
#include "source_root.h"

namespace godwit::wire {

std::map<std::string, ByteVector> encoded_samples() {
  Codec codec;
  std::map<std::string, ByteVector> all;
  all["hello"] = copy_of(codec.encode(samples::hello()));
  all["welcome"] = copy_of(codec.encode(samples::welcome()));
  all["request"] = encode_message(codec, samples::request(), samples::kBody);
  all["response"] = encode_message(codec, samples::response(), samples::kBody);
  all["ack"] = copy_of(codec.encode(samples::ack()));
  all["failure"] = encode_message(codec, samples::failure(), "");
  all["event_head"] = copy_of(*codec.encode_message_head(samples::event()));
  all["refuse"] = copy_of(codec.encode(samples::refuse()));
  all["ping"] = copy_of(codec.encode(samples::ping()));
  all["pong"] = copy_of(codec.encode(samples::pong()));
  all["goodbye"] = copy_of(codec.encode(samples::goodbye()));
  all["renewal"] = copy_of(codec.encode(samples::renewal()));
  all["cancel"] = copy_of(codec.encode(samples::cancel()));
  all["full_ack"] = copy_of(codec.encode(samples::full_ack()));
  return all;
}

ByteVector bytes_of_hex(const std::string& text) {
  ByteVector bytes;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream pairs(line.substr(0, line.find(';')));
    for (std::string pair; pairs >> pair;) bytes.push_back(static_cast<uint8_t>(std::stoul(pair, nullptr, 16)));
  }
  return bytes;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

ByteVector golden(const std::string& name) {
  return bytes_of_hex(text_of_file(testing::source_root() / "tests/unit/wire/golden" / (name + ".hex")));
}

}  // namespace godwit::wire
