#include "host/lua_codecs.h"

#include <fmt/format.h>
#include <isa-l/crc.h>
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace godwit::host {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> values_of(std::string_view digits) {
  std::array<uint8_t, 256> values{};
  values.fill(kNone);
  for (size_t i = 0; i < digits.size(); ++i) values[static_cast<uint8_t>(digits[i])] = static_cast<uint8_t>(i);
  return values;
}

constexpr auto kBase64Values = values_of(kBase64);

uint8_t hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<uint8_t>(digit - '0');
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<uint8_t>(lower - 'a' + 10) : kNone;
}

void base64_encode(std::string_view bytes, std::string& out) {
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += k <= count ? kBase64[group >> (18 - 6 * k) & 63] : '=';
  }
}

/// Strict: whole groups, padding where it belongs, no bits left over (RFC 4648).
bool base64_decode(std::string_view text, std::string& out) {
  if (text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (size_t i = 0; i < text.size(); i += 4) {
    const size_t digits = i + 4 == text.size() ? 4 - padding : 4;
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const uint8_t value = k < digits ? kBase64Values[static_cast<uint8_t>(text[i + k])] : 0;
      if (value == kNone) return false;
      group = group << 6 | value;
    }
    for (size_t k = 0; k + 1 < digits; ++k) out += static_cast<char>(group >> (16 - 8 * k));
    const uint32_t rest = digits == 4 ? 0 : digits == 3 ? group & 0xff : group & 0xffff;
    if (rest != 0) return false;
  }
  return true;
}

void hex_encode(std::string_view bytes, std::string& out) {
  for (const char byte : bytes) {
    out += kHex[static_cast<uint8_t>(byte) >> 4];
    out += kHex[byte & 15];
  }
}

bool hex_decode(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const uint8_t high = hex_value(text[i]);
    const uint8_t low = hex_value(text[i + 1]);
    if (high == kNone || low == kNone) return false;
    out += static_cast<char>(high << 4 | low);
  }
  return true;
}

void xxh3(std::string_view bytes, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

void crc32c(std::string_view bytes, std::string& out) {
  auto* data = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
  const uint32_t crc = ~crc32_iscsi(data, static_cast<int>(bytes.size()), ~0U);
  fmt::format_to(std::back_inserter(out), "{:08x}", crc);
}

bool run(void (*encode)(std::string_view, std::string&), std::string_view text, std::string& out) {
  encode(text, out);
  return true;
}
bool run(bool (*decode)(std::string_view, std::string&), std::string_view text, std::string& out) {
  return decode(text, out);
}

template <auto kFunction>
int call(lua_State* state) {
  auto& scratch = *static_cast<std::string*>(lua_touserdata(state, lua_upvalueindex(1)));
  size_t size = 0;
  const char* text = luaL_checklstring(state, 1, &size);
  scratch.clear();
  if (!run(kFunction, {text, size}, scratch)) return 0;
  lua_pushlstring(state, scratch.data(), scratch.size());
  if (scratch.capacity() > 65536) std::string().swap(scratch);
  return 1;
}

}  // namespace

void add_codec_functions(lua_State* state, std::string& scratch) {
  static constexpr luaL_Reg kFunctions[] = {{"base64_encode", call<base64_encode>},
                                            {"base64_decode", call<base64_decode>},
                                            {"hex_encode", call<hex_encode>},
                                            {"hex_decode", call<hex_decode>},
                                            {"xxh3", call<xxh3>},
                                            {"crc32c", call<crc32c>}};
  for (const luaL_Reg& function : kFunctions) {
    lua_pushlightuserdata(state, &scratch);
    lua_pushcclosure(state, function.func, 1);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host
