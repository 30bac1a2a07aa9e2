#include "app/attribute_table.h"

#include <algorithm>

namespace godwit::app {
namespace {

Status check(std::string_view name, const std::optional<host::Value>& value) {
  if (name.empty() || name.size() > AttributeTable::kNameBytesMax) {
    return fail(Code::kMessageTooLarge, "an attribute's name has 1 to 256 bytes");
  }
  if (value && host::bytes_of(*value) > AttributeTable::kValueBytesMax) {
    return fail(Code::kMessageTooLarge, "an attribute has at most 16 KiB");
  }
  return {};
}

tl::unexpected<Error> gone() { return fail(Code::kStaleHandle, "the session is gone"); }

}  // namespace

AttributeTable::Shard& AttributeTable::shard_of(host::SessionKey key) const {
  // Slots count up from 0 in the low bits of keys: they spread evenly as they are.
  return shards_[key % kShards];
}

void AttributeTable::enter(host::SessionKey key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  shard.sessions.try_emplace(key);
}

void AttributeTable::leave(host::SessionKey key) {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  shard.sessions.erase(key);
}

/// Null as well for what has expired; that is taken out on the way.
AttributeTable::Attribute* AttributeTable::find(Attributes& attributes, std::string_view name, Timestamp now) {
  const auto found = std::ranges::find(attributes, name, &Attribute::name);
  if (found == attributes.end()) return nullptr;
  if (found->expires > now) return &*found;
  attributes.erase(found);
  return nullptr;
}

Status AttributeTable::put(Attributes& attributes, std::string_view name, const std::optional<host::Value>& value,
                           Timestamp expires, Timestamp now) {
  Attribute* known = find(attributes, name, now);
  if (!value) {
    if (known) attributes.erase(attributes.begin() + (known - attributes.data()));
    return {};
  }
  if (known) {
    known->value = *value;
    known->expires = expires;
    return {};
  }
  if (attributes.size() == kAttributesMax) {
    std::erase_if(attributes, [now](const Attribute& attribute) { return attribute.expires <= now; });
  }
  if (attributes.size() == kAttributesMax) return fail(Code::kStoreFull, "a session has at most 64 attributes");
  attributes.push_back({std::string(name), *value, expires});
  return {};
}

std::optional<host::Value> AttributeTable::get(host::SessionKey key, std::string_view name) const {
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto session = shard.sessions.find(key);
  if (session == shard.sessions.end()) return std::nullopt;
  const Attribute* attribute = find(session.value(), name, clock_.measure());
  return attribute ? std::optional(attribute->value) : std::nullopt;
}

Status AttributeTable::set(host::SessionKey key, std::string_view name, const std::optional<host::Value>& value,
                           Duration ttl) {
  if (Status valid = check(name, value); !valid) return valid;
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto session = shard.sessions.find(key);
  if (session == shard.sessions.end()) return gone();
  const Timestamp now = clock_.measure();
  return put(session.value(), name, value, ttl > Duration::zero() ? now + ttl : kNever, now);
}

Result<bool> AttributeTable::compare_and_set(host::SessionKey key, std::string_view name,
                                             const std::optional<host::Value>& expected,
                                             const std::optional<host::Value>& value) {
  if (const Status valid = check(name, value); !valid) return tl::unexpected(valid.error());
  Shard& shard = shard_of(key);
  const std::lock_guard lock(shard.mutex);
  const auto session = shard.sessions.find(key);
  if (session == shard.sessions.end()) return gone();
  const Timestamp now = clock_.measure();
  const Attribute* known = find(session.value(), name, now);
  if (known ? expected != known->value : expected.has_value()) return false;
  const Timestamp expires = known ? known->expires : kNever;
  if (const Status done = put(session.value(), name, value, expires, now); !done) return tl::unexpected(done.error());
  return true;
}

}  // namespace godwit::app
