#include "session/signed_token.h"

#include <algorithm>
#include <charconv>

#include "base/hex.h"
#include "base/hmac.h"
#include "base/limits.h"

namespace godwit::session {
namespace {

constexpr std::string_view kPrefix = "gw1.";

/// One claim a line: `name=value`. Names may repeat where a list is meant.
std::string write_claims(const TokenClaims& claims) {
  std::string text;
  const auto put = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) ((text += name) += '=').append(value) += '\n';
  };
  const auto put_number = [&](std::string_view name, auto value) {
    if (value != 0) put(name, std::to_string(value));
  };
  put("id", claims.id);
  put("uid", claims.uid);
  put("client", claims.client_id);
  put_number("issued", claims.issued_unix_s);
  put_number("expires", claims.expires_unix_s);
  for (const std::string& group : claims.groups) put("group", group);
  for (const std::string& action : claims.rights.actions) put("action", action);
  put_number("body_max", claims.rights.body_bytes_max);
  put_number("sessions_max", claims.rights.sessions_max);
  return text;
}

bool has_line_break(const TokenClaims& claims) {
  const auto breaks = [](const std::string& text) { return text.find('\n') != std::string::npos; };
  return breaks(claims.id) || breaks(claims.uid) || breaks(claims.client_id) ||
         std::any_of(claims.groups.begin(), claims.groups.end(), breaks) ||
         std::any_of(claims.rights.actions.begin(), claims.rights.actions.end(), breaks);
}

template <typename Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

/// False where a claim makes no sense, or is none that is known: a token may say less than is meant then.
bool read_claim(std::string_view name, std::string_view value, TokenClaims& claims) {
  if (name == "id") return !(claims.id = value).empty();
  if (name == "uid") return !(claims.uid = value).empty();
  if (name == "client") return !(claims.client_id = value).empty();
  if (name == "group") return !claims.groups.emplace_back(value).empty();
  if (name == "action") return !claims.rights.actions.emplace_back(value).empty();
  if (name == "issued") return read_number(value, claims.issued_unix_s);
  if (name == "expires") return read_number(value, claims.expires_unix_s);
  if (name == "body_max") return read_number(value, claims.rights.body_bytes_max);
  if (name == "sessions_max") return read_number(value, claims.rights.sessions_max);
  return false;
}

std::optional<TokenClaims> read_claims(std::string_view text) {
  TokenClaims claims;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    if (!read_claim(line.substr(0, equals), line.substr(equals + 1), claims)) return std::nullopt;
    text.remove_prefix(end + 1);
  }
  return claims.uid.empty() ? std::nullopt : std::optional(std::move(claims));
}

struct Parts {
  std::string_view key_id, claims, mac, signed_text;
};

std::optional<Parts> take_apart(std::string_view token) {
  if (!token.starts_with(kPrefix)) return std::nullopt;
  const size_t first = token.find('.', kPrefix.size());
  const size_t last = token.rfind('.');
  if (first == std::string_view::npos || last == first) return std::nullopt;
  return Parts{token.substr(kPrefix.size(), first - kPrefix.size()), token.substr(first + 1, last - first - 1),
               token.substr(last + 1), token.substr(0, last)};
}

Sha256 mac_of(std::string_view text, const SigningKey& key) {
  HmacSha256 mac(as_bytes(key.secret));
  mac.add(as_bytes(text));
  return mac.finish();
}

Result<TokenClaims> unknown() { return fail(Code::kUnauthenticated, "unknown token"); }

}  // namespace

Result<std::string> sign_token(const TokenClaims& claims, const SigningKey& key) {
  if (has_line_break(claims)) return fail(Code::kArgumentInvalid, "a claim has a line break");
  std::string token = std::string(kPrefix) + key.id + '.' + to_hex(as_bytes(write_claims(claims)));
  const Sha256 mac = mac_of(token, key);
  token += '.' + to_hex(Bytes(mac));
  if (token.size() <= limits::kTokenBytesMax) return token;
  return fail(Code::kArgumentInvalid, "the token has " + std::to_string(token.size()) + " bytes, at most " +
                                          std::to_string(limits::kTokenBytesMax) + " fit");
}

Result<TokenClaims> read_token(std::string_view token) {
  const auto parts = take_apart(token);
  const auto bytes = parts ? from_hex(parts->claims) : std::nullopt;
  auto claims = bytes ? read_claims(as_text(*bytes)) : std::nullopt;
  return claims ? Result<TokenClaims>(std::move(*claims)) : unknown();
}

Result<TokenClaims> verify_token(std::string_view token, const std::vector<SigningKey>& keys) {
  const auto parts = take_apart(token);
  const auto mac = parts ? from_hex(parts->mac) : std::nullopt;
  if (!mac) return unknown();
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const SigningKey& one) { return one.id == parts->key_id; });
  if (key == keys.end()) return unknown();
  const Sha256 expected = mac_of(parts->signed_text, *key);
  if (!equal_in_constant_time(*mac, expected)) return unknown();
  return read_token(token);
}

void SignedTokenAuthenticator::set_keys(std::vector<SigningKey> keys) {
  auto shared = std::make_shared<const std::vector<SigningKey>>(std::move(keys));
  const std::lock_guard lock(mutex_);
  keys_ = std::move(shared);
}

void SignedTokenAuthenticator::authenticate(const Credentials& credentials, Decided done) { done(find(credentials)); }

Result<Identity> SignedTokenAuthenticator::find(const Credentials& credentials) const {
  const auto keys = [this] {
    const std::lock_guard lock(mutex_);
    return keys_;
  }();
  auto claims = verify_token(credentials.token, *keys);
  if (!claims) return tl::unexpected(std::move(claims.error()));
  const bool over = claims->expires_unix_s != 0 && clock_.unix_us() >= claims->expires_unix_s * 1'000'000;
  const bool other_client = !claims->client_id.empty() && claims->client_id != credentials.client_id;
  const bool other_uid = !credentials.uid.empty() && credentials.uid != claims->uid;
  if (over || other_client || other_uid) return fail(Code::kUnauthenticated, "unknown token");
  return Identity{.client_id = credentials.client_id,
                  .uid = std::move(claims->uid),
                  .groups = std::move(claims->groups),
                  .rights = std::move(claims->rights),
                  .expires_unix_us = claims->expires_unix_s * 1'000'000,
                  .credential = std::move(claims->id)};
}

}  // namespace godwit::session
