#include "host/lua_zstd.h"

// The library's own header keeps these apart because they may grow; Debian's build exports them.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "host/lua_vm.h"

// Lua errors leave these functions by unwinding: what owns memory lies in inner functions which do not raise.

namespace godwit::host {
namespace {

constexpr size_t kSliceBytes = 128 << 10;  ///< how often the time limit is looked at while compressing
constexpr size_t kAlign = alignof(std::max_align_t);

std::string_view check_text(lua_State* state, int argument) {
  size_t size = 0;
  const char* text = luaL_checklstring(state, argument, &size);
  return {text, size};
}

int failed(lua_State* state, Code code, const char* text) {
  lua_pushnil(state);
  lua_pushinteger(state, static_cast<lua_Integer>(code));
  lua_pushstring(state, text);
  return 3;
}

// The VM's allocator wants to know the size of what is freed: it stands before each block.

void* allocate(void* vm, size_t bytes) {
  void* self = nullptr;
  const lua_Alloc resize = lua_getallocf(static_cast<lua_State*>(vm), &self);
  auto* block = static_cast<char*>(resize(self, nullptr, 0, bytes + kAlign));
  if (!block) return nullptr;
  bytes += kAlign;
  std::memcpy(block, &bytes, sizeof(bytes));
  return block + kAlign;
}

void release(void* vm, void* memory) {
  if (!memory) return;
  char* const block = static_cast<char*>(memory) - kAlign;
  size_t bytes;
  std::memcpy(&bytes, block, sizeof(bytes));
  void* self = nullptr;
  const lua_Alloc resize = lua_getallocf(static_cast<lua_State*>(vm), &self);
  resize(self, block, bytes, 0);
}

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_customMem memory_of(lua_State* state) { return {allocate, release, state}; }

enum class Outcome : uint8_t { kDone, kOverdue, kNoMemory, kTooLarge, kMalformed };

/// Into `out`, which has room for the worst case. `size` is that of the result.
Outcome compress(lua_State* state, std::string_view in, int level, ZSTD_outBuffer& out) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx_advanced(memory_of(state)));
  if (!context) return Outcome::kNoMemory;
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  ZSTD_CCtx_setPledgedSrcSize(context.get(), in.size());
  const Watch& watch = LuaVm::of(state).watch();
  while (true) {
    if (watch.overdue()) return Outcome::kOverdue;
    const std::string_view slice = in.substr(0, kSliceBytes);
    ZSTD_inBuffer input{slice.data(), slice.size(), 0};
    const bool last = slice.size() == in.size();
    const size_t left = ZSTD_compressStream2(context.get(), &out, &input, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left)) return Outcome::kNoMemory;
    if (last && left == 0) return Outcome::kDone;
    in.remove_prefix(input.pos);
  }
}

Outcome decompress(lua_State* state, std::string_view in, char* out, size_t& size) {
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx_advanced(memory_of(state)));
  if (!context) return Outcome::kNoMemory;
  const size_t got = ZSTD_decompressDCtx(context.get(), out, size, in.data(), in.size());
  switch (ZSTD_getErrorCode(got)) {
    case ZSTD_error_no_error: size = got; return Outcome::kDone;
    case ZSTD_error_dstSize_tooSmall: return Outcome::kTooLarge;
    case ZSTD_error_memory_allocation: return Outcome::kNoMemory;
    default: return Outcome::kMalformed;
  }
}

int answer(lua_State* state, Outcome outcome, const char* out, size_t size) {
  switch (outcome) {
    case Outcome::kDone: lua_pushlstring(state, out, size); return 1;
    case Outcome::kOverdue: LuaVm::end_if_overdue(state); break;
    case Outcome::kTooLarge: return failed(state, Code::kMessageTooLarge, "the result is larger than the limit");
    case Outcome::kMalformed: return failed(state, Code::kValueWrong, "no zstd frames");
    case Outcome::kNoMemory: break;
  }
  return failed(state, Code::kScriptMemory, "the app's memory does not suffice");
}

int zstd_compress(lua_State* state) {
  const std::string_view in = check_text(state, 1);
  const auto level = static_cast<int>(luaL_checkinteger(state, 2));
  ZSTD_outBuffer out{nullptr, ZSTD_compressBound(in.size()), 0};
  out.dst = lua_newuserdata(state, out.size);
  const Outcome outcome = compress(state, in, level, out);
  return answer(state, outcome, static_cast<const char*>(out.dst), out.pos);
}

int zstd_decompress(lua_State* state) {
  const std::string_view in = check_text(state, 1);
  const double limit = luaL_checknumber(state, 2);
  const unsigned long long told = ZSTD_findDecompressedSize(in.data(), in.size());
  if (told == ZSTD_CONTENTSIZE_ERROR) return answer(state, Outcome::kMalformed, nullptr, 0);
  const bool known = told != ZSTD_CONTENTSIZE_UNKNOWN;
  if (known && static_cast<double>(told) > limit) return answer(state, Outcome::kTooLarge, nullptr, 0);
  const auto bound = static_cast<double>(known ? told : ZSTD_decompressBound(in.data(), in.size()));
  auto size = static_cast<size_t>(std::min(bound, limit));
  auto* out = static_cast<char*>(lua_newuserdata(state, std::max<size_t>(size, 1)));
  const Outcome outcome = decompress(state, in, out, size);
  return answer(state, outcome, out, size);
}

}  // namespace

void add_zstd_functions(lua_State* state) {
  static constexpr luaL_Reg kFunctions[] = {{"zstd_compress", zstd_compress}, {"zstd_decompress", zstd_decompress}};
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(state, function.func);
    lua_setfield(state, -2, function.name);
  }
}

}  // namespace godwit::host
