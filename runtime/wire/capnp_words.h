#pragma once

// For the .cpp files of this folder that speak to the library; nothing else includes it.
#include <capnp/message.h>
#include <kj/exception.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/result.h"
#include "godwit.capnp.h"

namespace godwit::wire {

static_assert(sizeof(capnp::word) == sizeof(uint64_t));

/// Builds one message of one segment in `area`, which is zero before and after, and large enough (words_of helps).
class WordBuilder {
 public:
  explicit WordBuilder(std::span<uint64_t> area)
      : message_(kj::arrayPtr(reinterpret_cast<capnp::word*>(area.data()), area.size()),
                 capnp::AllocationStrategy::FIXED_SIZE) {}

  template <typename Struct>
  typename Struct::Builder root() {
    return message_.initRoot<Struct>();
  }

  /// Valid as long as the builder.
  std::span<const uint64_t> words() {
    const auto segments = message_.getSegmentsForOutput();
    GW_CHECK(segments.size() == 1);
    return {reinterpret_cast<const uint64_t*>(segments[0].begin()), segments[0].size()};
  }

 private:
  capnp::MallocMessageBuilder message_;
};

/// Room that a structure, or a text with its NUL, takes.
template <typename Struct>
constexpr size_t words_of() {
  return Struct::_capnpPrivate::dataWordSize + Struct::_capnpPrivate::pointerCount;
}
constexpr size_t words_of(std::string_view text) { return text.size() / 8 + 1; }

/// `init` is the builder's initX for the field: it makes room for so many bytes. Empty text stays a null pointer.
template <typename Init>
void put_text(std::string_view text, Init init) {
  if (text.empty()) return;
  capnp::Text::Builder room = init(static_cast<unsigned>(text.size()));
  std::memcpy(room.begin(), text.data(), text.size());
}

inline std::string_view view_of(capnp::Text::Reader text) { return {text.begin(), text.size()}; }

/// Root, list of structures, structure, text: four levels are needed; newer peers may have a few more.
inline constexpr int kNestingMax = 8;

/// Lets `read` look at a message of one segment with root `Struct` and returns its Result. No word is read more often
/// than there are words, so nothing a peer sends costs more than its size. FrameMalformed, naming `what`, when the
/// library objects: pointers beyond the message, wrong types, text without its NUL; what it says is the error's detail.
/// Texts are valid as long as `words`.
template <typename Struct, typename Read>
auto read_words(std::span<const uint64_t> words, std::string_view what, Read read)
    -> decltype(read(std::declval<typename Struct::Reader>())) {
  const kj::ArrayPtr<const capnp::word> segments[] = {
      {reinterpret_cast<const capnp::word*>(words.data()), words.size()}};
  capnp::ReaderOptions options;
  options.traversalLimitInWords = words.size() + 1;  // the library counts the root pointer twice
  options.nestingLimit = kNestingMax;

  decltype(read(std::declval<typename Struct::Reader>())) result;
  const kj::Maybe<kj::Exception> thrown = kj::runCatchingExceptions([&] {
    capnp::SegmentArrayMessageReader message(kj::arrayPtr(segments, 1), options);
    result = read(message.getRoot<Struct>());
  });
  KJ_IF_MAYBE (exception, thrown) {
    return tl::unexpected(Error{Code::kFrameMalformed, std::string(what) + " cannot be read: a bad pointer or text",
                                exception->getDescription().cStr()});
  }
  return result;
}

}  // namespace godwit::wire
