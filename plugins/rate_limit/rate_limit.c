#include <godwit/plugin.h>
#include <stdlib.h>
#include <string.h>

/*
 * Forwards nothing and answers nothing of its own: it is asked `rate.take` by whoever wants to know whether a client
 * may go on, and counts by token buckets, one per session or per uid. Buckets live in a table of fixed size; of those
 * that share a place the one that was used longest ago makes room.
 */

enum { PLACES = 4096, NEIGHBOURS = 4 };

typedef struct bucket {
  uint64_t key; /* 0: free */
  int64_t used_ns;
  int64_t tokens_nano; /* billionths of a token */
} bucket;

typedef struct limiter {
  const gw_host* host;
  int64_t per_second;
  int64_t burst;
  bool by_uid;
  uint64_t refused;
  bucket buckets[PLACES];
} limiter;

static const int64_t kNano = 1000000000;

static gw_status refuse_config(const gw_host* host, gw_text what) {
  host->core->log(host, GW_LOG_ERROR, what, NULL, 0);
  return GW_ERROR_ARGUMENT_INVALID;
}

/* A whole number from 1 to a million; absent: stays as it is. */
static gw_status read_number(const gw_host* host, gw_text key, int64_t* out) {
  gw_value value;
  if (host->config->get(host, key, &value) != GW_OK) return GW_OK;
  if (value.type != GW_VALUE_INTEGER || value.integer < 1 || value.integer > 1000000)
    return refuse_config(host, GW_TEXT("config.per_second and config.burst are integers, 1 to 1000000"));
  *out = value.integer;
  return GW_OK;
}

static gw_status read_config(limiter* own) {
  const gw_host* host = own->host;
  gw_value by;
  if (read_number(host, GW_TEXT("per_second"), &own->per_second) != GW_OK) return GW_ERROR_ARGUMENT_INVALID;
  own->burst = own->per_second;
  if (read_number(host, GW_TEXT("burst"), &own->burst) != GW_OK) return GW_ERROR_ARGUMENT_INVALID;
  if (host->config->get(host, GW_TEXT("by"), &by) != GW_OK) return GW_OK;
  own->by_uid = by.type == GW_VALUE_TEXT && by.text.size == 3 && memcmp(by.text.data, "uid", 3) == 0;
  const bool by_session = by.type == GW_VALUE_TEXT && by.text.size == 7 && memcmp(by.text.data, "session", 7) == 0;
  if (!own->by_uid && !by_session) return refuse_config(host, GW_TEXT("config.by is \"session\" or \"uid\""));
  return GW_OK;
}

static gw_status create(const gw_host* host, void** self) {
  limiter* own = calloc(1, sizeof *own);
  if (!own) return GW_ERROR_OUT_OF_MEMORY;
  own->host = host;
  own->per_second = 100;
  uint32_t handler;
  gw_status status = read_config(own);
  if (status == GW_OK) status = host->handlers->bind(host, GW_TEXT("rate.take"), &handler);
  if (status != GW_OK) {
    free(own);
    return status;
  }
  *self = own;
  return GW_OK;
}

static void destroy(void* self) { free(self); }

/* FNV-1a; never 0. */
static uint64_t key_of(const limiter* own, const gw_message* message) {
  const uint8_t* bytes = own->by_uid ? (const uint8_t*)message->uid.data : (const uint8_t*)&message->session;
  const size_t size = own->by_uid ? message->uid.size : sizeof message->session;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash | 1;
}

static bucket* find_bucket(limiter* own, uint64_t key, int64_t now_ns) {
  const uint64_t first = (key * 0x9e3779b97f4a7c15u) >> 52; /* the top 12 bits: one of PLACES */
  bucket* oldest = &own->buckets[first];
  for (uint64_t i = 0; i < NEIGHBOURS; ++i) {
    bucket* candidate = &own->buckets[(first + i) % PLACES];
    if (candidate->key == key) return candidate;
    if (candidate->used_ns < oldest->used_ns) oldest = candidate; /* free ones were never used */
  }
  *oldest = (bucket){key, now_ns, own->burst * kNano};
  return oldest;
}

/* True: one token was there, and is taken. */
static bool take(limiter* own, const gw_message* message) {
  const int64_t now_ns = own->host->core->now(own->host);
  bucket* found = find_bucket(own, key_of(own, message), now_ns);
  const int64_t full = own->burst * kNano;
  const int64_t passed_ns = now_ns - found->used_ns;
  /* Long enough to fill it: spares the product, which could overflow. */
  if (passed_ns >= full / own->per_second)
    found->tokens_nano = full;
  else
    found->tokens_nano += passed_ns * own->per_second;
  if (found->tokens_nano > full) found->tokens_nano = full;
  found->used_ns = now_ns;
  if (found->tokens_nano < kNano) return false;
  found->tokens_nano -= kNano;
  return true;
}

static gw_status on_message(void* self, const gw_message* message) {
  limiter* own = self;
  const bool allowed = message->priority == GW_PRIORITY_CRITICAL || take(own, message);
  if (message->kind == GW_EVENT) return allowed ? GW_OK : GW_ERROR_QUEUE_FULL;
  if (allowed) return own->host->messages->reply(own->host, message->ticket, (gw_bytes){NULL, 0}, NULL, 0);
  own->refused += 1;
  return own->host->messages->fail(own->host, message->ticket, GW_ERROR_LIMIT, GW_TEXT("slow down"));
}

static const gw_instance_table instance = {
    .struct_size = sizeof(gw_instance_table), .create = create, .destroy = destroy};
static const gw_handler_kind handler = {.struct_size = sizeof(gw_handler_kind), .on_message = on_message};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD,
    .kinds = GW_KIND_HANDLER,
    .flags = GW_FLAG_CAN_UNLOAD,
    GW_PLUGIN_SIZES,
    .name = "rate_limit",
    .version = "1.0.0",
    .license = "GPL-3.0-or-later",
    .author = "the godwit project",
    .description = "Token buckets per session or uid: answers rate.take, or LimitReached.",
    .instance = &instance,
    .handler = &handler,
};
