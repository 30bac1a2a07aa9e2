#pragma once

#include <cstdint>
#include <string>

#include "base/log.h"

namespace godwit::io {

enum class LogFormat : uint8_t { kText, kJson };

/// One record as one line of at most limits::kLogLineBytesMax bytes, without the line's end. Everything that somebody
/// outside may have chosen is escaped. Fields that do not fit are left out, and the line says so.
///   text: 2025-01-31T12:00:00.123456Z warn  quic: path changed remote=10.0.0.1:99 reason="new address"
///   json: {"ts":"2025-01-31T12:00:00.123456Z","level":"warn","module":"quic","msg":"path
///   changed","remote":"10.0.0.1:99"}
std::string format_line(LogFormat format, const LogRecord& record, int64_t unix_us);

}  // namespace godwit::io
