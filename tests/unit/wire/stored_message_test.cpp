#include "wire/stored_message.h"

#include <algorithm>

#include "samples.h"
#include "wire_helpers.h"

using namespace godwit;
using namespace godwit::wire;

namespace {

StoredMessage stored_from_memory_that_goes(const Envelope& envelope, std::string_view body) {
  std::string action(envelope.action), text(envelope.text), bytes(body);
  std::vector<std::string> strings;
  for (const Header& header : envelope.headers)
    strings.insert(strings.end(), {std::string(header.name), std::string(header.value)});
  std::vector<Header> headers;
  for (size_t i = 0; i < strings.size(); i += 2) headers.push_back({strings[i], strings[i + 1]});
  Envelope borrowed = envelope;
  borrowed.action = action;
  borrowed.text = text;
  borrowed.headers = headers;
  StoredMessage message(borrowed, as_bytes(bytes));
  for (std::string* gone : {&action, &text, &bytes}) std::fill(gone->begin(), gone->end(), '?');
  for (std::string& gone : strings) std::fill(gone.begin(), gone.end(), '?');
  return message;
}

}  // namespace

TEST_CASE("a stored message keeps everything when the memory it came from is gone") {
  for (const Envelope& envelope : {samples::request(), samples::failure(), samples::event(), Envelope{}}) {
    const StoredMessage message = stored_from_memory_that_goes(envelope, "the body");
    check_equal(message.envelope(), envelope);
    CHECK(as_text(message.body()) == "the body");
  }
}

TEST_CASE("a stored message stays whole when it is moved") {
  StoredMessage first = stored_from_memory_that_goes(samples::event(), "");
  std::vector<StoredMessage> many;
  many.push_back(std::move(first));
  for (int i = 0; i < 10; ++i) many.emplace_back(samples::request(), as_bytes("x"));
  check_equal(many[0].envelope(), samples::event());
  CHECK(many[0].body().empty());
  CHECK(as_text(many[10].body()) == "x");
}

TEST_CASE("a large body is taken over, not copied, and counted") {
  ByteVector body(100'000, 7);
  const uint8_t* const at = body.data();
  const StoredMessage message(samples::event(), std::move(body));
  CHECK(message.body().data() == at);
  CHECK(message.body().size() == 100'000);
  CHECK(message.bytes() >= 100'000 + samples::event().action.size());
}
