#include "app/commands/talk.h"

#include <fmt/format.h>

namespace godwit::app {
namespace {

constexpr std::string_view kHelp =
    "ACTION [BODY]         a command, and its answer\n"
    "/query ACTION [BODY]  a query, and its answer\n"
    "/event ACTION [BODY]  an event, and whether a handler took it\n"
    "/stats                what was sent and received so far\n"
    "/disconnect           says goodbye: the session ends\n"
    "/reconnect            connects again, or at once where it would wait\n"
    "/quit                 says goodbye and ends, as Ctrl-D does";

struct Words {
  std::string_view first, rest;
};
Words split(std::string_view line) {
  const size_t begin = line.find_first_not_of(' ');
  if (begin == line.npos) return {};
  line.remove_prefix(begin);
  const size_t end = line.find(' ');
  return end == line.npos ? Words{line, {}} : Words{line.substr(0, end), line.substr(end + 1)};
}

std::string_view name_of(godwit::Message::Kind kind) {
  switch (kind) {
    case godwit::Message::Kind::kCommand: return "command";
    case godwit::Message::Kind::kQuery: return "query";
    default: return "event";
  }
}

godwit::Reply failure(Code code, std::string_view text) {
  return {.code = static_cast<uint16_t>(code), .name = godwit::name_of(code), .text = std::string(text)};
}

}  // namespace

Talk::Talk(Console& console, const ConnectOptions& options)
    : console_(console), options_(options), address_(options.address.to_string()) {}

ExitCode Talk::run() {
  connect();
  // The end of the input may come before it is known whether there is a server.
  bool ended = false;
  while (!done_ && !(ended && decided_)) {
    switch (console_.next(!waiting_ && !ended)) {
      case Console::Event::kLine: on_line(console_.line()); break;
      case Console::Event::kLongLine: refuse_line(); break;
      case Console::Event::kEnd: ended = true; break;
      case Console::Event::kInterrupted: return ExitCode::kInterrupted;
      case Console::Event::kTasks: break;
    }
  }
  disconnect();
  if (counts_.connections == 0) return ExitCode::kUnreachable;
  // A person has seen what failed; a script is told.
  return counts_.failed > 0 && !console_.is_terminal() ? ExitCode::kPeerFailed : ExitCode::kOk;
}

void Talk::connect() {
  client_.emplace(godwit::ClientOptions{
      .address = address_,
      .client_id = options_.credentials.client_id,
      .uid = options_.credentials.uid,
      .token = options_.credentials.token,
      .ca_file = options_.ca_file,
      .certificate_file = options_.certificate_file,
      .key_file = options_.key_file,
      .insecure = options_.insecure,
      .connect_timeout = options_.timeout,
      .request_timeout = options_.timeout,
      .on_message = [this](const godwit::Message& message) { return on_message(message); },
      .on_event = [this](const godwit::ClientEvent& event) { console_.post([this, event] { tell(event); }); },
  });
}

void Talk::disconnect() { client_.reset(); }

void Talk::on_line(std::string_view line) {
  const Words words = split(line);
  if (words.first.empty()) return;
  if (words.first.front() == '/') return on_command(words.first.substr(1), words.rest);
  call(Kind::kCommand, words.first, words.rest);
}

void Talk::refuse_line() {
  ++counts_.calls;
  ++counts_.failed;
  console_.print(fmt::format("{} ({}): a line of more than {} bytes; it was not sent",
                             godwit::name_of(Code::kMessageTooLarge), static_cast<unsigned>(Code::kMessageTooLarge),
                             Console::kLineBytesMax));
}

void Talk::on_command(std::string_view name, std::string_view rest) {
  const Words words = split(rest);
  if (name == "query" || name == "event") {
    if (words.first.empty()) return console_.print(fmt::format("/{} needs an action", name));
    return call(name == "query" ? Kind::kQuery : Kind::kEvent, words.first, words.rest);
  }
  if (name == "stats") return show_stats();
  if (name == "disconnect") return disconnect();
  if (name == "reconnect") return client_ ? client_->reconnect_now() : connect();
  if (name == "quit") {
    done_ = true;
    return;
  }
  if (name != "help") console_.print(fmt::format("there is no /{}", name));
  console_.print(kHelp);
}

void Talk::call(Kind kind, std::string_view action, std::string_view body) {
  if (!client_) return console_.print("not connected; /reconnect does it");
  ++counts_.calls;
  waiting_ = true;
  const auto began = std::chrono::steady_clock::now();
  const auto answered = [this, began](const godwit::Reply& reply) {
    console_.post([this, reply, took = std::chrono::steady_clock::now() - began] { on_reply(reply, took); });
  };
  using Calls = godwit::CallOptions::Kind;
  if (kind == Kind::kEvent) {
    client_->send(action, body, {}, answered);
    return;
  }
  client_->request(action, body, {.kind = kind == Kind::kQuery ? Calls::kQuery : Calls::kCommand}, answered);
}

void Talk::on_reply(const godwit::Reply& reply, std::chrono::nanoseconds took) {
  waiting_ = false;
  last_round_trip_ = took;
  ++(reply.ok() ? counts_.ok : counts_.failed);
  if (reply.ok()) return console_.print(reply.body.empty() ? "ok" : reply.body);
  console_.print(fmt::format("{} ({}): {}", reply.name, reply.code, reply.text));
}

/// On the client's thread. Events are welcome as long as they can be shown; who asks is told that nobody answers here.
godwit::Reply Talk::on_message(const godwit::Message& message) {
  std::string text = fmt::format("<- {} {}", name_of(message.kind), message.action);
  if (!message.body.empty()) text.append(" ").append(message.body);
  const bool shown = console_.offer([this, text = std::move(text)] {
    ++counts_.pushed;
    console_.print(text);
  });
  if (!shown) return failure(Code::kQueueFull, "what came before is not shown yet");
  if (message.kind != godwit::Message::Kind::kEvent)
    return failure(Code::kNoReply, "somebody reads along here, and answers nothing");
  return {.status = godwit::Reply::Status::kSuccess};
}

void Talk::tell(const godwit::ClientEvent& event) {
  using Kind = godwit::ClientEvent::Kind;
  decided_ |= event.kind != Kind::kConnecting;
  switch (event.kind) {
    case Kind::kConnecting:
      if (event.code != 0) console_.print(fmt::format("-- no connection: {}: {}", event.name, event.text));
      return;
    case Kind::kConnected:
      ++counts_.connections;
      return console_.print(fmt::format("-- connected to {} as {}", address_, options_.credentials.client_id));
    case Kind::kResumed: ++counts_.resumed; return console_.print("-- the session goes on: nothing was lost");
    case Kind::kSessionLost: return console_.print("-- the server has given the session up: this is a new one");
    case Kind::kDraining: return console_.print("-- the server is going to close");
    case Kind::kDisconnected: return console_.print(fmt::format("-- disconnected: {}: {}", event.name, event.text));
    case Kind::kClosed: return console_.print("-- closed");
    case Kind::kHeartbeatTimeout: return console_.print("-- nothing is heard of the server");
    case Kind::kPromiseTimeout: return;  // the call says so itself
    case Kind::kSent:
    case Kind::kReceived: return;  // not asked for
  }
}

void Talk::show_stats() {
  std::string text = fmt::format("calls {}, ok {}, failed {}, pushed {}, connections {}, resumed {}", counts_.calls,
                                 counts_.ok, counts_.failed, counts_.pushed, counts_.connections, counts_.resumed);
  if (last_round_trip_)
    text += fmt::format(", last answer after {:.2f} ms",
                        std::chrono::duration<double, std::milli>(*last_round_trip_).count());
  console_.print(text);
}

}  // namespace godwit::app
