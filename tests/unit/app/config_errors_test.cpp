#include <catch2/catch.hpp>

#include "config_helpers.h"

using namespace godwit;
using namespace godwit::app;

using Texts = std::vector<std::string>;

namespace {

struct Case {
  std::string text;
  std::string complaint;  // empty: loads
};

}  // namespace

TEST_CASE("each mistake in a file is named with line, column, key and what was expected") {
  const std::vector<Case> cases = {
      {"", ""},
      {"[server]\nworkers = 4\n", ""},
      {"[server]\nworkers = \"4\"\n", "2:11: server.workers: expected an integer, got a string"},
      {"[server]\nworkers = 4.0\n", "2:11: server.workers: expected an integer, got a number with a fraction"},
      {"[server]\nworkers = -1\n", "2:11: server.workers: expected 0 to 256, got -1"},
      {"[server]\nworkers = 257\n", "2:11: server.workers: expected 0 to 256, got 257"},
      {"[server]\nworkers = 256\n", ""},
      {"[server]\nbusy_poll = 0\n", ""},
      {"[server]\nbusy_poll = 50\n",
       "2:13: server.busy_poll: expected a duration such as \"250ms\", \"30s\", \"5m\" or \"1h\", got '50'"},
      {"[server]\ndrain_timeout = \"3 s\"\n",
       "2:17: server.drain_timeout: expected a duration such as \"250ms\", \"30s\", \"5m\" or \"1h\", got '3 s'"},
      {"[server]\ndrain_timeout = \"2h\"\n", "2:17: server.drain_timeout: expected 0s to 1h, got 2h"},
      {"[server]\ndrain_timeout = true\n",
       "2:17: server.drain_timeout: expected a duration such as \"30s\", got a boolean"},
      {"[server]\nreceive_buffer = \"64KB\"\n",
       "2:18: server.receive_buffer: expected a size such as \"512\", \"64KiB\", \"1MiB\" or \"1GiB\", got '64KB'"},
      {"[server]\nreceive_buffer = \"1KiB\"\n", "2:18: server.receive_buffer: expected 64KiB to 1GiB, got 1KiB"},
      {"[server]\nreceive_buffer = 65536\n", ""},
      {"[server]\nlisten = \"[::1]:0\"\n", ""},
      {"[server]\nlisten = [\"127.0.0.1:1\", \"[::1]:2\"]\n", ""},
      {"[server]\nlisten = []\n", "2:10: server.listen: expected 1 to 16 elements, got 0"},
      {"[server]\nlisten = [\"127.0.0.1:1\", \"here\"]\n",
       "2:26: server.listen: expected an address such as \"127.0.0.1:8453\" or \"[::1]:8453\", got \"here\""},
      {"[server]\nlisten = [\"127.0.0.1:1\", 2]\n", "2:26: server.listen: expected a string, got an integer"},
      {"[server]\nlisten = [\"127.0.0.1:1\", \"[::1]:1\", \"127.0.0.1:1\"]\n",
       "2:37: server.listen: expected each address once, got \"127.0.0.1:1\" again"},
      {"[server]\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\"]\n", ""},
      {"[server]\ndata_dir = \"\"\n", "2:12: server.data_dir: expected a path, got \"\""},
      {"[store]\npath = \"\"\n", "2:8: store.path: expected a path, got \"\""},
      {"[log]\nfile = \"\"\n", ""},
      {"[server]\nlisten = 8453\n",
       "2:10: server.listen: expected list of 1 to 16 addresses HOST:PORT, got an integer"},
      {"[admin]\nhttp = \"off\"\n", ""},
      {"[admin]\nhttp = \"on\"\n",
       "2:8: admin.http: expected an address such as \"127.0.0.1:8453\" or \"[::1]:8453\", or \"off\", got \"on\""},
      {"[log]\nlevel = \"inof\"\n",
       "2:9: log.level: expected one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", \"off\", got \"inof\"; "
       "did you "
       "mean \"info\"?"},
      {"[log]\nformat = 1\n", "2:10: log.format: expected one of \"text\", \"json\", got an integer"},
      {"[log]\nfile = \"a\\u0007b\"\n", "2:8: log.file: expected UTF-8 text without control characters"},
      {"[log]\nmodules = {quic = \"warn\", host = \"debug\"}\n", ""},
      {"[log.modules]\nquic = \"warn\"\n", ""},
      {"[log]\nmodules = {quic = \"loud\"}\n",
       "2:19: log.modules: expected a level such as \"warn\" for 'quic', got \"loud\""},
      {"[log]\nmodules = {quic = 3}\n",
       "2:19: log.modules: expected a level such as \"warn\" for 'quic', got an integer"},
      {"[log]\nmodules = {Quic = \"warn\"}\n",
       "2:19: log.modules: expected a module's name of a-z, 0-9 and _, got \"Quic\""},
      {"[log]\nmodules = \"quic\"\n", "2:11: log.modules: expected a table such as {quic = \"warn\"}, got a string"},
      {"[quic]\npmtud = 1\n", "2:9: quic.pmtud: expected true or false, got an integer"},
      {"[message]\npromise_warn_ratio = 1\n", ""},
      {"[message]\npromise_warn_ratio = 1.5\n", "2:22: message.promise_warn_ratio: expected 0.0 to 1.0, got 1.5"},
      {"[message]\npromise_warn_ratio = nan\n", "2:22: message.promise_warn_ratio: expected 0.0 to 1.0, got nan"},
      {"[message]\npromise_warn_ratio = \"0.5\"\n",
       "2:22: message.promise_warn_ratio: expected a number from 0.0 to 1.0, got a string"},
      {"[message]\ndefault_timeout = 1979-05-27\n",
       "2:19: message.default_timeout: expected a duration such as \"30s\", got a date or time"},
      {"[message]\ninline_max = \"16MiB\"\n[session]\noutbox_bytes_max = \"64MiB\"\n", ""},
      {"[message]\ninline_max = \"17MiB\"\n", "2:14: message.inline_max: expected 1KiB to 16MiB, got 17MiB"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE(complaints_about(c.text) == (c.complaint.empty() ? Texts{} : Texts{c.complaint}));
  }
}

TEST_CASE("unknown names say what was meant, or where the key is at home") {
  const std::vector<Case> cases = {
      {"[sesion]\n", "1:2: unknown section [sesion]; did you mean [session]?"},
      {"[cluster]\n", "1:2: unknown section [cluster]"},
      {"[server]\nworker = 1\n", "2:1: unknown key 'worker' in [server]; did you mean 'workers'?"},
      {"[server]\n  level = \"info\"\n", "2:3: unknown key 'level' in [server]; it belongs to [log]"},
      {"[admin]\nidle_timeout = \"1s\"\n",
       "2:1: unknown key 'idle_timeout' in [admin]; it belongs to [quic] or [session]"},
      {"[server]\nfrobnicate = 1\n", "2:1: unknown key 'frobnicate' in [server]"},
      {"listen = \"x\"\n", "1:1: unknown key 'listen' outside of all sections; it belongs to [server]"},
      {"server = 1\n", "1:1: 'server' is a section: write [server], once"},
      {"[[server]]\nworkers = 1\n", "1:3: 'server' is a section: write [server], once"},
      {"[server.listen]\n", "1:1: server.listen: expected list of 1 to 16 addresses HOST:PORT, got a table"},
      {"[\"se\\u0007rver\"]\n", "1:2: unknown section [se\\x07rver]; did you mean [server]?"},
      {"[x-mine]\nanything = [1, {a = 2}]\n", ""},
      {"x-mine = 1\n", "1:1: unknown key 'x-mine' outside of all sections"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const Texts got = complaints_about(c.text);
    if (c.complaint.empty())
      REQUIRE(got.empty());
    else
      REQUIRE(got == Texts{c.complaint});
  }
}

TEST_CASE("all mistakes of a file are found at once, broken lines included, in its order") {
  REQUIRE(
      complaints_about("[log]\n"
                       "level = \"loud\"\n"
                       "format = \"json\n"
                       "fil = \"x\"\n"
                       "[server]\n"
                       "workers = 1\n"
                       "data_dir =\n"
                       "  workers = 2\n"
                       "listen = [\"a\" \"b\"]\n"
                       "busy_poll = \"1h\"\n") ==
      Texts{
          "2:9: log.level: expected one of \"trace\", \"debug\", \"info\", \"warn\", \"error\", \"off\", got \"loud\"",
          "3:15: not valid TOML: string: unescaped control characters other than TAB (U+0009) are explicitly "
          "prohibited",
          "4:1: unknown key 'fil' in [log]; did you mean 'file'?",
          "7:11: not valid TOML: key-value pair: expected value, saw '\\n'",
          "8:3: key 'workers' is given twice",
          "9:15: not valid TOML: array: expected comma or closing ']', saw '\"'",
          "10:13: server.busy_poll: expected 0s to 1s, got 1h",
      });
}

TEST_CASE("one unfinished list is one complaint, not one for every line behind it") {
  const Texts got = complaints_about("[scripts]\npaths = [\n\"a\",\nreload = \"watch\"\n[log]\nlevel = \"info\"\n");
  REQUIRE(got.size() == 1);
  REQUIRE_THAT(got[0], Catch::StartsWith("4:"));
}

TEST_CASE("a file that is not text is one complaint and no harm") {
  REQUIRE(complaints_about(std::string_view("\0\1\2\xff\xfe", 5)).size() == 1);
  REQUIRE(complaints_about("[log]\nlevel = \"\xff\"\n").size() == 1);
  REQUIRE_FALSE(complaints_about("[log]\nmodules = " + std::string(100'000, '[')).empty());
}

TEST_CASE("a file that cannot be read is FileUnreadable with its path") {
  const TempFolder folder;
  const auto missing = load_config({.file = folder.path() / "none.toml"});
  REQUIRE_FALSE(missing);
  REQUIRE(missing.error().size() == 1);
  REQUIRE(missing.error()[0].code == Code::kFileUnreadable);
  REQUIRE(missing.error()[0].text == (folder.path() / "none.toml").string() + ": No such file or directory");

  const auto a_folder = load_config({.file = folder.path()});
  REQUIRE_FALSE(a_folder);
  REQUIRE(a_folder.error()[0].text == folder.path().string() + ": Is a directory");

  const auto endless = load_config({.file = "/dev/zero"});
  REQUIRE_FALSE(endless);
  REQUIRE(endless.error()[0].text == "/dev/zero: larger than 1048576 bytes");
}

TEST_CASE("mistakes of all sources come together") {
  const TempFolder folder;
  const auto path = folder.write("a.toml", "[log]\nlevle = \"info\"\n");
  const auto loaded = load_config(
      {.file = path, .environment = {"GODWIT_LOG__FORMAT=xml", "HOME=/nowhere"}, .settings = {"log.max_files=0"}});
  REQUIRE_FALSE(loaded);
  Texts texts;
  for (const Error& error : loaded.error()) {
    REQUIRE(error.code == Code::kConfigInvalid);
    texts.push_back(error.text);
  }
  REQUIRE(texts == Texts{
                       path.string() + ":2:1: unknown key 'levle' in [log]; did you mean 'level'?",
                       "GODWIT_LOG__FORMAT: log.format: expected one of \"text\", \"json\", got \"xml\"",
                       "--set log.max_files: expected 1 to 1000, got 0",
                   });
}

TEST_CASE("keys that contradict each other are refused at the one that was set") {
  REQUIRE(complaints_about_settings({"tls.key=k.pem"}) == Texts{"--set tls.key: a key needs tls.certificate as well"});
  REQUIRE(complaints_about_settings({"tls.certificate=c.pem"}) ==
          Texts{"--set tls.certificate: a certificate needs tls.key as well"});
  REQUIRE(complaints_about_settings({"tls.certificate=c.pem", "tls.key=k.pem"}).empty());
  REQUIRE(complaints_about_settings({"tls.client_auth=require"}) ==
          Texts{"--set tls.client_auth: certificates are checked against tls.client_ca, which is empty"});
  REQUIRE(complaints_about_settings({"admin.http=0.0.0.0:8080"}) ==
          Texts{"--set admin.http: expected a loopback address or \"off\", because the admin plane asks nobody who he "
                "is, got "
                "0.0.0.0:8080"});
  REQUIRE(complaints_about_settings({"admin.http=[::1]:0"}).empty());
  REQUIRE(complaints_about_settings({"auth.mode=token"}) == Texts{"--set auth.mode: \"token\" needs auth.tokens_file"});
  REQUIRE(
      complaints_about_settings({"quic.idle_timeout=45s"}) ==
      Texts{
          "--set quic.idle_timeout: session.heartbeat_interval: times heartbeat_timeout_count it is 45s, expected less "
          "than quic.idle_timeout (45s)"});
  REQUIRE(complaints_about_settings({"quic.idle_timeout=46s"}).empty());
  REQUIRE(complaints_about("[quic]\nstream_window_max = \"256KiB\"\n") ==
          Texts{"2:1: quic.stream_window_max: expected 0, or at least quic.stream_window (512KiB), got 256KiB"});
  REQUIRE(complaints_about("[quic]\nstream_window_max = 0\n").empty());
  REQUIRE(complaints_about_settings({"quic.half_open_max=500"}) ==
          Texts{"--set quic.half_open_max: quic.half_open_retry: expected at most quic.half_open_max (500), got 1000"});
  REQUIRE(complaints_about_settings({"quic.keep_alive=60s"}) ==
          Texts{"--set quic.keep_alive: expected less than quic.idle_timeout (1m), got 1m"});
  REQUIRE(complaints_about_settings({"message.inline_max=16MiB", "session.outbox_bytes_max=1MiB"}) ==
          Texts{"--set session.outbox_bytes_max: expected at least message.inline_max (16MiB), got 1MiB"});
  REQUIRE(complaints_about_settings({"message.arriving_max=512KiB"}) ==
          Texts{"--set message.arriving_max: expected at least message.inline_max (1MiB), got 512KiB"});
  REQUIRE(complaints_about_settings({"message.arriving_max=1MiB", "message.dispatch_queue_bytes=1MiB"}).empty());
  REQUIRE(complaints_about_settings({"message.dispatch_queue_bytes=512KiB"}) ==
          Texts{"--set message.dispatch_queue_bytes: expected at least message.inline_max (1MiB), got 512KiB"});
}
