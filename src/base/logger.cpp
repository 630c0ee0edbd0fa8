// SPDX-License-Identifier: Apache-2.0
#include "base/logger.h"

#include "base/clock.h"
#include "base/json.h"

#include <unistd.h>

namespace writ {

namespace {

LogLevel minimum_level = LogLevel::info;
LogFormat line_format = LogFormat::text;

std::string_view name_of(LogLevel level)
{
    switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    case LogLevel::off: break;
    }
    return "off";
}

JsonValue to_json(LogField const& field)
{
    return std::visit([](auto const& value) { return JsonValue(value); }, field.value);
}

std::string json_line(std::string const& time, LogLevel level, std::string_view message, std::initializer_list<LogField> fields)
{
    JsonObject line { { "time", time }, { "level", name_of(level) }, { "message", message } };
    for (auto const& field : fields)
        line.emplace(field.key, to_json(field));
    return to_text(line);
}

std::string text_line(std::string const& time, LogLevel level, std::string_view message, std::initializer_list<LogField> fields)
{
    auto line = time + " " + std::string(name_of(level)) + " " + std::string(message);
    // SECURITY: values are written as JSON, so that a line break in one cannot forge a second line.
    for (auto const& field : fields)
        line.append(" ").append(field.key).append("=").append(to_text(to_json(field)));
    return line;
}

} // namespace

void configure_log(LogLevel level, LogFormat format)
{
    minimum_level = level;
    line_format = format;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields)
{
    if (level < minimum_level)
        return;
    auto const time = to_rfc3339(SystemClock().now());
    auto line = line_format == LogFormat::json ? json_line(time, level, message, fields) : text_line(time, level, message, fields);
    line.push_back('\n');
    // One write per line: lines of several threads and processes do not mix. A full pipe or closed stderr loses the line, not the service.
    [[maybe_unused]] auto const ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace writ
