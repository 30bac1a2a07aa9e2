#include <errno.h>
#include <godwit/plugin.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Clients that speak MessagePack, handlers that see JSON. What one of the two cannot say is refused: bytes that are no
 * text, extension types, maps with keys that are no text, numbers that are none.
 */

enum { DEPTH_MAX = 64, NUMBER_TEXT = 40, LONG_FORM = 5 };

typedef struct reader {
  const uint8_t* at;
  const uint8_t* end;
  gw_status failure; /* the first; nothing is read after it */
  int depth;
} reader;

typedef struct writer {
  uint8_t* out;
  size_t capacity;
  size_t size; /* beyond the capacity nothing is written, and only counted */
} writer;

static void put(writer* w, const void* bytes, size_t size) {
  if (w->size + size <= w->capacity) memcpy(w->out + w->size, bytes, size);
  w->size += size;
}

static void put_byte(writer* w, unsigned byte) {
  const uint8_t one = (uint8_t)byte;
  put(w, &one, 1);
}

static void put_big_endian(writer* w, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) put_byte(w, (unsigned)(value >> shift) & 0xff);
}

static void refuse(reader* r) {
  r->failure = GW_ERROR_BODY_INVALID;
  r->at = r->end;
}

static bool enter(reader* r) {
  if (++r->depth > DEPTH_MAX) refuse(r);
  return r->failure == GW_OK;
}

/* --- UTF-8 ----------------------------------------------------------------------------------------------------------
 */

/* Bytes of the character at `at`; 0: it is none (overlong forms and surrogates included). */
static size_t character(const uint8_t* at, const uint8_t* end) {
  if (at[0] < 0x80) return 1;
  const size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  if (at[0] < 0xc2 || at[0] > 0xf4 || (size_t)(end - at) < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((at[i] & 0xc0) != 0x80) return 0;
  }
  const bool bad = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
                   (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);
  return bad ? 0 : size;
}

static void put_character(writer* w, unsigned code) {
  if (code < 0x80) {
    put_byte(w, code);
    return;
  }
  if (code < 0x800) {
    put_byte(w, 0xc0 | code >> 6), put_byte(w, 0x80 | (code & 0x3f));
    return;
  }
  if (code < 0x10000) {
    put_byte(w, 0xe0 | code >> 12);
  } else {
    put_byte(w, 0xf0 | code >> 18);
    put_byte(w, 0x80 | (code >> 12 & 0x3f));
  }
  put_byte(w, 0x80 | (code >> 6 & 0x3f));
  put_byte(w, 0x80 | (code & 0x3f));
}

/* --- MessagePack to JSON
 * ---------------------------------------------------------------------------------------------- */

static uint64_t take_big_endian(reader* r, int bytes) {
  if (r->end - r->at < bytes) return refuse(r), 0;
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | *r->at++;
  return value;
}

static void json_text(reader* r, writer* w, uint64_t size) {
  if (size > (uint64_t)(r->end - r->at)) {
    refuse(r);
    return;
  }
  const uint8_t* end = r->at + size;
  put_byte(w, '"');
  while (r->at < end) {
    const size_t bytes = character(r->at, end);
    if (bytes == 0) {
      refuse(r);
      return;
    }
    if (*r->at == '"' || *r->at == '\\') put_byte(w, '\\');
    if (*r->at < 0x20) {
      char escaped[8];
      put(w, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", *r->at));
    } else {
      put(w, r->at, bytes);
    }
    r->at += bytes;
  }
  put_byte(w, '"');
}

static void json_real(reader* r, writer* w, double value) {
  char text[NUMBER_TEXT];
  if (!isfinite(value)) {
    refuse(r);
    return;
  }
  put(w, text, (size_t)snprintf(text, sizeof text, "%.17g", value));
}

static void json_integer(writer* w, int64_t value) {
  char text[NUMBER_TEXT];
  put(w, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

static void json_value(reader* r, writer* w);

static void json_items(reader* r, writer* w, uint64_t count, const char* brackets) {
  const bool map = brackets[0] == '{';
  if (!enter(r)) return;
  put_byte(w, (unsigned char)brackets[0]);
  for (uint64_t i = 0; i < count && r->failure == GW_OK; ++i) {
    if (i > 0) put_byte(w, ',');
    const bool is_text =
        r->at < r->end && ((*r->at & 0xe0) == 0xa0 || *r->at == 0xd9 || *r->at == 0xda || *r->at == 0xdb);
    if (map && !is_text) {
      refuse(r);
      return;
    }
    json_value(r, w);
    if (map) put_byte(w, ':'), json_value(r, w);
  }
  put_byte(w, (unsigned char)brackets[1]);
  --r->depth;
}

static void json_number(reader* r, writer* w, unsigned tag) {
  char text[NUMBER_TEXT];
  if (tag == 0xca) {
    const uint32_t bits = (uint32_t)take_big_endian(r, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    json_real(r, w, value);
    return;
  }
  if (tag == 0xcb) {
    const uint64_t bits = take_big_endian(r, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    json_real(r, w, value);
    return;
  }
  if (tag <= 0xcf) {
    const uint64_t value = take_big_endian(r, 1 << (tag - 0xcc));
    put(w, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
    return;
  }
  const int bytes = 1 << (tag - 0xd0), unused = 64 - 8 * bytes;
  json_integer(w, (int64_t)(take_big_endian(r, bytes) << unused) >> unused);
}

static void json_value(reader* r, writer* w) {
  if (r->at == r->end) {
    refuse(r);
    return;
  }
  const unsigned tag = *r->at++;
  if (tag < 0x80) {
    json_integer(w, tag);
    return;
  }
  if (tag >= 0xe0) {
    json_integer(w, (int)tag - 0x100);
    return;
  }
  if (tag < 0x90) {
    json_items(r, w, tag & 0x0f, "{}");
    return;
  }
  if (tag < 0xa0) {
    json_items(r, w, tag & 0x0f, "[]");
    return;
  }
  if (tag < 0xc0) {
    json_text(r, w, tag & 0x1f);
    return;
  }
  switch (tag) {
    case 0xc0: put(w, "null", 4); return;
    case 0xc2: put(w, "false", 5); return;
    case 0xc3: put(w, "true", 4); return;
    case 0xd9: json_text(r, w, take_big_endian(r, 1)); return;
    case 0xda: json_text(r, w, take_big_endian(r, 2)); return;
    case 0xdb: json_text(r, w, take_big_endian(r, 4)); return;
    case 0xdc: json_items(r, w, take_big_endian(r, 2), "[]"); return;
    case 0xdd: json_items(r, w, take_big_endian(r, 4), "[]"); return;
    case 0xde: json_items(r, w, take_big_endian(r, 2), "{}"); return;
    case 0xdf: json_items(r, w, take_big_endian(r, 4), "{}"); return;
    default: break;
  }
  if (tag >= 0xca && tag <= 0xd3) {
    json_number(r, w, tag);
    return;
  }
  refuse(r); /* bytes, extensions, and the tag that is never used */
}

/* --- JSON to MessagePack
 * ---------------------------------------------------------------------------------------------- */

static void skip_space(reader* r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) ++r->at;
}

/* True: it was there, and was taken. */
static bool take(reader* r, char wanted) {
  skip_space(r);
  if (r->at == r->end || *r->at != (uint8_t)wanted) return false;
  ++r->at;
  return true;
}

/* How many follow stands in front of them and is known after them: room for the long form was left at `begin`. */
static void put_count(writer* w, size_t begin, size_t count, unsigned short_tag, size_t short_max, unsigned long_tag) {
  const size_t end = w->size;
  writer head = {w->out, w->capacity, begin};
  if (end > w->capacity) return;
  if (count <= short_max) {
    put_byte(&head, short_tag | (unsigned)count);
  } else if (count <= UINT16_MAX) {
    put_byte(&head, long_tag), put_big_endian(&head, count, 2);
  } else {
    put_byte(&head, long_tag + 1), put_big_endian(&head, count, 4);
  }
  memmove(w->out + head.size, w->out + begin + LONG_FORM, end - begin - LONG_FORM);
  w->size = head.size + end - begin - LONG_FORM;
}

static unsigned hex4(reader* r) {
  unsigned code = 0;
  if (r->end - r->at < 4) return refuse(r), 0;
  for (int i = 0; i < 4; ++i, ++r->at) {
    static const char kDigits[] = "0123456789abcdef0123456789ABCDEF";
    const char* digit = *r->at != 0 ? strchr(kDigits, *r->at) : NULL;
    if (!digit) return refuse(r), 0;
    code = code << 4 | ((unsigned)(digit - kDigits) & 15);
  }
  return code;
}

static void pack_escape(reader* r, writer* w) {
  static const char kShort[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  const char c = r->at < r->end ? (char)*r->at++ : 0;
  for (const char* pair = kShort; *pair != 0; pair += 2) {
    if (pair[0] == c) {
      put_byte(w, (unsigned char)pair[1]);
      return;
    }
  }
  if (c != 'u') {
    refuse(r);
    return;
  }
  unsigned code = hex4(r);
  if (code >= 0xd800 && code < 0xdc00) {
    if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
      refuse(r);
      return;
    }
    r->at += 2;
    const unsigned low = hex4(r);
    if (low < 0xdc00 || low > 0xdfff) {
      refuse(r);
      return;
    }
    code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
  } else if (code >= 0xdc00 && code < 0xe000) {
    refuse(r);
    return;
  }
  put_character(w, code);
}

static void pack_text(reader* r, writer* w) {
  const size_t begin = w->size;
  w->size += LONG_FORM;
  while (r->at < r->end && *r->at != '"') {
    const size_t bytes = character(r->at, r->end);
    if (bytes == 0 || *r->at < 0x20) {
      refuse(r);
      return;
    }
    if (*r->at == '\\') {
      ++r->at;
      pack_escape(r, w);
      continue;
    }
    put(w, r->at, bytes);
    r->at += bytes;
  }
  if (!take(r, '"')) {
    refuse(r);
    return;
  }
  put_count(w, begin, w->size - begin - LONG_FORM, 0xa0, 31, 0xda);
}

static void pack_integer(writer* w, int64_t value) {
  if (value >= 0 && value < 0x80) {
    put_byte(w, (unsigned)value);
    return;
  }
  if (value < 0 && value >= -32) {
    put_byte(w, (unsigned)(value & 0xff));
    return;
  }
  if (value == (int32_t)value) {
    put_byte(w, 0xd2), put_big_endian(w, (uint64_t)value, 4);
    return;
  }
  put_byte(w, 0xd3);
  put_big_endian(w, (uint64_t)value, 8);
}

/* What is written without a fraction and fits goes as an integer, all else as a double. */
static void pack_number(reader* r, writer* w) {
  char text[NUMBER_TEXT];
  size_t size = 0;
  while (r->at < r->end && size < sizeof text - 1 && *r->at != 0 && strchr("+-.0123456789eE", *r->at) != NULL)
    text[size++] = (char)*r->at++;
  text[size] = 0;
  if (size == 0 || text[0] == '+') {
    refuse(r);
    return;
  }
  char* end = text;
  errno = 0;
  const int64_t integer = strtoll(text, &end, 10);
  if (end == text + size && errno == 0) {
    pack_integer(w, integer);
    return;
  }
  errno = 0;
  const uint64_t large = text[0] != '-' ? strtoull(text, &end, 10) : 0;
  if (large > INT64_MAX && end == text + size && errno == 0) {
    put_byte(w, 0xcf);
    put_big_endian(w, large, 8);
    return;
  }
  const double value = strtod(text, &end);
  if (end != text + size || !isfinite(value)) {
    refuse(r);
    return;
  }
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_byte(w, 0xcb);
  put_big_endian(w, bits, 8);
}

static void pack_value(reader* r, writer* w);

static void pack_items(reader* r, writer* w, bool map) {
  const size_t begin = w->size;
  const char close = map ? '}' : ']';
  size_t count = 0;
  if (!enter(r)) return;
  w->size += LONG_FORM;
  while (!take(r, close)) {
    if (count > 0 && !take(r, ',')) {
      refuse(r);
      return;
    }
    if (map) {
      if (!take(r, '"')) {
        refuse(r);
        return;
      }
      pack_text(r, w);
      if (!take(r, ':')) {
        refuse(r);
        return;
      }
    }
    pack_value(r, w);
    if (r->failure != GW_OK) return;
    ++count;
  }
  --r->depth;
  put_count(w, begin, count, map ? 0x80 : 0x90, 15, map ? 0xde : 0xdc);
}

static bool take_word(reader* r, const char* word) {
  const size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return false;
  r->at += size;
  return true;
}

static void pack_value(reader* r, writer* w) {
  skip_space(r);
  if (take(r, '{')) {
    pack_items(r, w, true);
    return;
  }
  if (take(r, '[')) {
    pack_items(r, w, false);
    return;
  }
  if (take(r, '"')) {
    pack_text(r, w);
    return;
  }
  if (take_word(r, "null")) {
    put_byte(w, 0xc0);
    return;
  }
  if (take_word(r, "false")) {
    put_byte(w, 0xc2);
    return;
  }
  if (take_word(r, "true")) {
    put_byte(w, 0xc3);
    return;
  }
  pack_number(r, w);
}

/* --- the plugin
 * --------------------------------------------------------------------------------------------------------- */

static void pack_document(reader* r, writer* w) {
  pack_value(r, w);
  skip_space(r);
}

static gw_status translate(void (*value)(reader*, writer*), gw_bytes in, uint8_t* out, size_t capacity, size_t* size) {
  reader r = {in.data, in.data + in.size, GW_OK, 0};
  writer w = {out, capacity, 0};
  if (in.size == 0) return *size = 0, GW_OK; /* nothing is nothing in both */
  value(&r, &w);
  if (r.at != r.end) refuse(&r);
  if (r.failure != GW_OK) return r.failure;
  if (w.size > capacity) return GW_ERROR_MESSAGE_TOO_LARGE;
  *size = w.size;
  return GW_OK;
}

static gw_status decode(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size) {
  (void)self;
  return translate(json_value, in, out, capacity, size);
}

static gw_status encode(void* self, gw_bytes in, uint8_t* out, size_t capacity, size_t* size) {
  (void)self;
  return translate(pack_document, in, out, capacity, size);
}

static gw_status create(const gw_host* host, void** self) {
  (void)host;
  *self = NULL;
  return GW_OK;
}

static const gw_instance_table instance_table = {.struct_size = sizeof(gw_instance_table), .create = create};
static const gw_codec_kind codec_kind = {.struct_size = sizeof(gw_codec_kind),
                                         .content_type = "application/msgpack",
                                         .encode = encode,
                                         .decode = decode,
                                         .handler_type = "application/json"};

GW_PLUGIN_EXPORT const gw_plugin godwit_plugin = {
    GW_PLUGIN_HEAD,
    .host_minor_min = 2,
    .kinds = GW_KIND_CODEC,
    .flags = GW_FLAG_CAN_UNLOAD,
    GW_PLUGIN_SIZES,
    .name = "codec_msgpack",
    .version = "1.0.0",
    .license = "GPL-3.0-or-later",
    .author = "the godwit authors",
    .description = "Clients speak MessagePack, handlers see JSON.",
    .instance = &instance_table,
    .codec = &codec_kind,
};
