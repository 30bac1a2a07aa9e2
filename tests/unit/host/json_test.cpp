#include <catch2/catch.hpp>

#include "script_world.h"

using namespace godwit;
using namespace godwit::host::test;

namespace {

std::string evaluate(const std::string& expression, std::string_view body = {}) {
  ScriptWorld world;
  return world.answer("local v, err = " + expression +
                          " msg:reply(v == nil and err.name .. ': ' .. err.message or "
                          "tostring(v))",
                      body);
}

}  // namespace

TEST_CASE("values become JSON: arrays, objects in the order of their keys, numbers as whole as they are") {
  CHECK(evaluate("gw.json.encode({ 1, 2.5, 'x', true, gw.json.null })") == R"([1,2.5,"x",true,null])");
  CHECK(evaluate("gw.json.encode({ b = 1, a = { c = {} } })") == R"({"a":{"c":{}},"b":1})");
  CHECK(evaluate("gw.json.encode(gw.json.array())") == "[]");
  CHECK(evaluate("gw.json.encode({ list = gw.json.array({}) })") == R"({"list":[]})");
  CHECK(evaluate("gw.json.encode('a\"\\n')") == R"("a\"\n")");
  CHECK(evaluate("gw.json.encode(9007199254740991)") == "9007199254740991");
  CHECK(evaluate("gw.json.encode(nil)") == "null");
}

TEST_CASE("what has no JSON form is refused with the reason") {
  CHECK(evaluate("gw.json.encode(print)") == "ValueWrong: a value of type function has no JSON form");
  CHECK(evaluate("gw.json.encode(0/0)") == "ValueWrong: a number that is not finite has no JSON form");
  CHECK(evaluate("gw.json.encode({ 1, x = 2 })") == "ValueWrong: an object's keys must be strings, one is a number");
  CHECK(evaluate("gw.json.encode('\\xff')") == "ValueWrong: a string is not UTF-8");
  CHECK(evaluate("(function() local t = {} t.t = t return gw.json.encode(t) end)()") ==
        "ValueWrong: more than 100 levels, or a table that contains itself");
}

TEST_CASE("JSON becomes values, and is refused with the place when it is malformed") {
  CHECK(evaluate("gw.json.decode('[1,{\"a\":[true]}]')[2].a[1]") == "true");
  CHECK(evaluate("gw.json.decode('null') == gw.json.null") == "true");
  CHECK(evaluate("gw.json.decode('{\"a\":null}').a") == "null");
  CHECK(evaluate("gw.json.decode('[1,]')") == "ValueWrong: malformed JSON at byte 4");
  CHECK(evaluate("gw.json.decode('')") == "ValueWrong: malformed JSON at byte 1");
  CHECK(evaluate("gw.json.decode(('['):rep(200000))") == "ValueWrong: JSON of more than 100 levels");
  CHECK(evaluate("msg:json().who", R"({"who":"ada"})") == "ada");
}

TEST_CASE("what was encoded decodes to the same") {
  ScriptWorld world;
  CHECK(world.answer(
            "local t = { list = { 1, 2, { deep = 'x' } }, text = 'ä\\0', no = false, n = -0.125 } "
            "local text = gw.json.encode(t) msg:reply(tostring(gw.json.encode(gw.json.decode(text)) == text))") ==
        "true");
}
