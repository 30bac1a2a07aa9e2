#pragma once

#include <sqlite3.h>

#include <memory>
#include <string_view>

namespace godwit::store {

/// A prepared statement that is run again and again. Names and values are borrowed from `bind` until `reset`.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, std::string_view sql) {
    sqlite3_stmt* made = nullptr;
    code_ = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &made,
                               nullptr);
    statement_.reset(made);
  }

  /// Of the last step, or of the preparation.
  int code() const { return code_; }

  void bind(int at, std::string_view bytes) {
    sqlite3_bind_blob64(statement_.get(), at, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  void bind(int at, int64_t number) { sqlite3_bind_int64(statement_.get(), at, number); }

  /// True: there is a row.
  bool step() {
    code_ = sqlite3_step(statement_.get());
    return code_ == SQLITE_ROW;
  }
  bool failed() const { return code_ != SQLITE_ROW && code_ != SQLITE_DONE && code_ != SQLITE_OK; }

  std::string_view bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return {data ? data : "", static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column))};
  }
  int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

  void reset() {
    sqlite3_reset(statement_.get());
    sqlite3_clear_bindings(statement_.get());
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int code_ = SQLITE_OK;
};

}  // namespace godwit::store
