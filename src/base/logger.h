// SPDX-License-Identifier: Apache-2.0
//
// Structured operator logs: one line each on standard error, `time level message key=value …`, or JSON lines. Thread-safe.
// SECURITY: takes only strings, numbers and booleans; a Secret has no conversion to any of them. Not the audit log.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace writ {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
enum class LogFormat : std::uint8_t { text, json };

struct LogField {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, bool> value;

    LogField(std::string_view name, std::string_view text) : key(name), value(text) { }
    LogField(std::string_view name, std::string const& text) : key(name), value(std::string_view(text)) { }
    LogField(std::string_view name, char const* text) : key(name), value(std::string_view(text)) { }
    LogField(std::string_view name, bool truth) : key(name), value(truth) { }
    template <std::integral T>
    LogField(std::string_view name, T number) : key(name), value(static_cast<std::int64_t>(number)) { }
};

// Process-wide; set once by programs before threads start. Default: info, text.
void configure_log(LogLevel, LogFormat);

void log(LogLevel, std::string_view message, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::debug, message, fields); }
inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::info, message, fields); }
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::warning, message, fields); }
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) { log(LogLevel::error, message, fields); }

} // namespace writ
