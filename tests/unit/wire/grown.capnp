@0xa5c1e9a0d4b7c3f2;
# What a later version might make of two of the structures: the fields of today, and more behind them.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("godwit::wire::grown");

struct Node {
  next @0 :Node;
  label @1 :Text;
}

struct Header {
  name @0 :Text;
  value @1 :Text;
  sensitive @2 :Bool;
  origin @3 :Text;
}

struct Envelope {
  seq @0 :UInt64;
  deadlineMs @1 :UInt32;
  kind @2 :UInt16;
  flags @3 :UInt16;
  correlates @4 :UInt64;
  afterDelta @5 :UInt32 = 1;
  status @6 :UInt16;
  code @7 :UInt16;
  ttlMs @8 :UInt32;
  priority @9 :UInt16;
  id @10 :UInt64;
  bodyBytes @11 :UInt64;
  action @12 :Text;
  text @13 :Text;
  headers @14 :List(Header);
  hops @15 :UInt16 = 7;      # takes the spare bytes behind priority
  traceId @16 :Data;
  stamp @17 :UInt64 = 42;
  path @18 :Node;
}

struct Hello {
  clientId @0 :Text;
  uid @1 :Text;
  token @2 :Text;
  agent @3 :Text;
  lastSeq @4 :UInt64;
  resumeToken @5 :Text;
  features @6 :UInt64;
  locale @7 :Text = "C";
  priority @8 :UInt8 = 3;
}
