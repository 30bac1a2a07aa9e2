@0xf9d59d5d69b80392;
# The payloads of godwit/1. How they travel (streams, frames, packing, order of events) is in README.md beside this file.
#
# Rules of growth: fields are only ever added, with the next ordinal, and a default that means "as before". A reader ignores fields
# it does not know; a writer leaves the ones it does not use at their defaults. Ordinals are never reused.
#
# Every payload is one segment. Text is UTF-8. Bounds count bytes without the closing NUL. What lies beyond a bound is refused.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("godwit::wire::proto");

enum Kind {
  command @0;   # do something; answered by a response
  event @1;     # something happened; acknowledged, never answered
  query @2;     # tell something, without an effect; answered by a response
  response @3;  # the answer to a command or query
}

enum Status {
  none @0;     # not a response
  success @1;  # the body is the answer
  failure @2;  # `code` and `text` say why
  timeout @3;  # no answer came in time
}

enum Priority {
  normal @0;
  low @1;       # waits for everything else
  high @2;      # before normal
  critical @3;  # before everything, and exempt from rate limits; bounded all the same
}

struct Header {
  # Something to know about a message that is not its body. At most 64, and 16 KiB of names and values together.
  name @0 :Text;   # 1 … 256 bytes, printable
  value @1 :Text;  # may be empty
}

struct Envelope {
  # Everything about a message but its body. Zero costs nothing on the wire, so the common message is made of few other values.

  seq @0 :UInt64;
  # Sequence number, per session and direction, contiguous from 1 in the order of sending. 0: unreliable, not numbered.

  deadlineMs @1 :UInt32;
  # Milliseconds that the sender still waits for the response, or for the acknowledgement of an event, counted from arrival. 0: no limit.

  kind @2 :Kind;

  flags @3 :UInt16;
  # Bit 0, ack soon: the sender waits for the acknowledgement, which should not wait for the timer.
  # Bit 1, unreliable: `seq` is 0, may be lost, is never sent again.
  # Bit 2, withdrawn: only the number counts; the message was given up before it was sent again. Other bits are 0 and ignored.

  correlates @4 :UInt64;
  # On responses: the message id of the request. Otherwise 0.

  afterDelta @5 :UInt32 = 1;
  # To be handled only after the message numbered seq - afterDelta. 0: at once, in no order.

  status @6 :Status;
  # On responses; none on all others.

  code @7 :UInt16;
  # On responses that are no success: a number of the error registry. Unknown numbers are passed on.

  ttlMs @8 :UInt32;
  # Milliseconds from arrival after which the message is not worth handling. 0: always worth it.

  priority @9 :Priority;

  id @10 :UInt64;
  # Message id, unique per session and direction. 0: the same as `seq`.

  bodyBytes @11 :UInt64;
  # Exact length of the body, at most what Welcome.inlineBytesMax says. On the shared lane it repeats what the frame's length
  # implies; where the two differ the frame is malformed.

  action @12 :Text;
  # What it is about: levels separated by dots, 1 … 256 bytes. Empty on responses.

  text @13 :Text;
  # On responses that are no success: for a person. 0 … 1,024 bytes.

  headers @14 :List(Header);
}

struct Hello {
  # The first frame of the control stream, from the client.

  clientId @0 :Text;
  # Who connects: a device or program, named by itself. 1 … 128 bytes of printable text.

  uid @1 :Text;
  # Whom it belongs to. 0 … 128 bytes, printable; empty: whom the credentials name.

  token @2 :Text;
  # Credentials. 0 … 4,096 bytes; empty: none, or those of the TLS client certificate.

  agent @3 :Text;
  # Name and version of the client program, for logs. 0 … 128 bytes.

  lastSeq @4 :UInt64;
  # When a session is resumed: the highest number up to which its messages were handled. Otherwise 0.

  resumeToken @5 :Text;
  # From the Welcome (or the last Renewal) of the session to be resumed. 0 … 256 bytes; empty: a new session.

  features @6 :UInt64;
  # What the client can do, one bit each. Bit 0, resume: it keeps its session when the connection is lost. Bit 1, cancel: it
  # reads Cancel frames. Unknown bits are ignored.

  knownSeq @7 :UInt64;
  # When a session is resumed: the highest number up to which the client knows the outcome of its own messages. Otherwise 0.

  program @8 :UInt64;
  # A number that the running client chose at random, the same in all of its greetings, and tells nobody else. 0: none.

  attempt @9 :UInt32;
  # Counts the greetings of this program, from 1. A server does not let one take a session from a later one. 0: not counted.
}

struct Welcome {
  # The server's answer to Hello: from here on messages may flow, both ways.

  session @0 :UInt64;
  # The session's id, for logs and administration. No two sessions of one server process have the same.

  resumeToken @1 :Text;
  # Proof for a later Hello. 0 … 256 bytes; empty: this session cannot be resumed.

  lastSeq @2 :UInt64;
  # When resumed: the highest number up to which the client's messages were handled. Otherwise 0.

  features @3 :UInt64;
  # Those of Hello.features that both sides have. Without bit 0 (resume) the session ends with its connection.

  inlineBytesMax @4 :UInt64;
  # Bytes that the body of one message may have, on any lane.

  outboxMessagesMax @5 :UInt32;
  # Messages that the client may have sent without an acknowledgement.

  heartbeatMs @6 :UInt32;
  # Interval of the client's pings in milliseconds. Three silent intervals end the connection. 0: no pings.

  server @7 :Text;
  # Name and version of the server, for logs. 0 … 128 bytes.

  resumed @8 :Bool;
  # This is the session of Hello.resumeToken, with all that it was. False: a new one.

  lost @9 :UInt16;
  # When Hello had a resumeToken and the session is a new one: why, a number of the error registry. Otherwise 0.

  knownSeq @10 :UInt64;
  # When resumed: the highest number up to which the server knows the outcome of its own messages. Otherwise 0.

  resumeWindowMs @11 :UInt32;
  # Milliseconds that the session is kept without a connection. 0: it ends with its connection.

  steer @12 :UInt16;
  # 256 + n: the client that resumes chooses n as the first byte of its first destination connection id, which leads to the worker
  # that has the session. 0: nothing is asked for.
}

struct Refuse {
  # The server's other answer to Hello; the connection closes.
  code @0 :UInt16;          # a number of the error registry
  text @1 :Text;            # for a person. 0 … 1,024 bytes
  retryAfterMs @2 :UInt32;  # not before so many milliseconds; 0: nothing is said, `code` tells
  steer @3 :UInt16;         # as in Welcome: where to come instead, with the same Hello
}

struct Ping {
  nonce @0 :UInt64;  # comes back in the Pong
}

struct Pong {
  nonce @0 :UInt64;  # of the Ping
}

struct Ack {
  # What was handled of the messages of the other direction.

  cumulative @0 :UInt64;
  # Every message up to this number was handed to its handler, or is refused in `nacks`.

  ranges @1 :List(UInt64);
  # Of those beyond: bit i of word w stands for the message cumulative + 2 + 64·w + i. At most 256 words.

  nacks @2 :List(Nack);
  # Messages acknowledged here that were not handled. At most 512.
}

struct Nack {
  # One message that arrived, is acknowledged, and was not handled.
  seq @0 :UInt64;
  code @1 :UInt16;  # a number of the error registry
  text @2 :Text;    # for a person. 0 … 1,024 bytes
}

struct Goodbye {
  # The sender goes: it takes no new requests and closes when what is in flight is answered.
  code @0 :UInt16;          # a number of the error registry
  text @1 :Text;            # for a person. 0 … 1,024 bytes
  retryAfterMs @2 :UInt32;  # connect again not before so many milliseconds; 0: nothing is said, `code` tells
}

struct Renewal {
  # A newer proof for the same session, because the keys that sealed the last one are about to be given up. From the server.
  resumeToken @0 :Text;  # 1 … 256 bytes; replaces the one from Welcome
}

struct Cancel {
  # The sender no longer waits for the answer to its request: the receiver may stop working on it.
  id @0 :UInt64;  # message id of the request
}
