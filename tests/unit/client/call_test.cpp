#include "client/call.h"

#include <catch2/catch.hpp>

using namespace godwit;

TEST_CASE("a reply of success carries body and headers, and no code") {
  const wire::Header header{"shade", "dark"};
  const Reply reply =
      client::to_reply(session::Reply{wire::Status::kSuccess, Code::kOk, "", {&header, 1}, as_bytes("body")});
  CHECK(reply.ok());
  CHECK(reply.code == 0);
  CHECK(reply.name.empty());
  CHECK(reply.body == "body");
  CHECK(reply.headers == Headers{{"shade", "dark"}});
}

TEST_CASE("whatever is not a success has a code with its name") {
  using wire::Status;
  for (const Status status : {Status::kFailure, Status::kTimeout, Status::kNone}) {
    const Reply reply = client::to_reply(session::Reply{status, Code::kHandlerFailed, "why", {}, {}});
    CHECK_FALSE(reply.ok());
    CHECK(reply.code == 4002);
    CHECK(reply.name == "HandlerFailed");
    CHECK(reply.text == "why");
  }
}

TEST_CASE("an error is a failure, and a timeout when time was what ended it") {
  CHECK(client::to_reply(Error{Code::kQueueFull, {}}).status == Reply::Status::kFailure);
  CHECK(client::to_reply(Error{Code::kConnectTimeout, {}}).status == Reply::Status::kTimeout);
  CHECK(client::to_reply(Error{Code::kDeadlineExceeded, {}}).status == Reply::Status::kTimeout);
}
