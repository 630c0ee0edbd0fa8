// SPDX-License-Identifier: Apache-2.0
#include "cli/git_settings.h"

#include "cli/git_credential.h"
#include "cli/static_logins.h"

#include <algorithm>
#include <cctype>

namespace writ::cli {

namespace {

// LIMIT: how far above a folder its repository is looked for.
constexpr int folders_above_max = 64;

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text)
{
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; }

class Parser {
public:
    Parser(std::string_view text, std::string const& from)
        : rest_(text)
        , from_(from)
    {
    }

    std::vector<GitSetting> settings()
    {
        while (skip_to_word() && settings_.size() < git_settings_max) {
            if (!(rest_.front() == '[' ? take_section() : take_setting()))
                break;
        }
        return std::move(settings_);
    }

private:
    // Past blanks, empty lines and comments.
    bool skip_to_word()
    {
        while (!rest_.empty()) {
            if (is_blank(rest_.front()) || rest_.front() == '\n')
                rest_.remove_prefix(1);
            else if (rest_.front() == '#' || rest_.front() == ';')
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
            else
                return true;
        }
        return false;
    }

    void skip_blanks()
    {
        while (!rest_.empty() && is_blank(rest_.front()))
            rest_.remove_prefix(1);
    }

    // `[core]`, `[http "https://git.example"]`, and the old `[branch.main]`.
    bool take_section()
    {
        rest_.remove_prefix(1);
        auto const end = std::find_if(rest_.begin(), rest_.end(), [](char c) { return !is_name(c) && c != '.'; });
        auto const name = lowered(rest_.substr(0, static_cast<std::size_t>(end - rest_.begin())));
        rest_.remove_prefix(name.size());
        section_ = name.substr(0, name.find('.'));
        subsection_ = section_.size() == name.size() ? "" : name.substr(section_.size() + 1);
        skip_blanks();
        if (!rest_.empty() && rest_.front() == '"' && !take_subsection())
            return false;
        if (name.empty() || rest_.empty() || rest_.front() != ']')
            return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool take_subsection()
    {
        rest_.remove_prefix(1);
        subsection_.clear();
        while (!rest_.empty() && rest_.front() != '"') {
            if (rest_.front() == '\\')
                rest_.remove_prefix(1);
            if (rest_.empty() || rest_.front() == '\n')
                return false;
            subsection_ += rest_.front();
            rest_.remove_prefix(1);
        }
        rest_.remove_prefix(std::min<std::size_t>(1, rest_.size()));
        return true;
    }

    bool take_setting()
    {
        auto const end = std::find_if(rest_.begin(), rest_.end(), [](char c) { return !is_name(c); });
        auto const name = lowered(rest_.substr(0, static_cast<std::size_t>(end - rest_.begin())));
        rest_.remove_prefix(name.size());
        skip_blanks();
        std::string value;
        bool const has_value = !rest_.empty() && rest_.front() == '=';
        if (name.empty() || section_.empty() || (!has_value && !rest_.empty() && rest_.front() != '\n' && rest_.front() != '#' && rest_.front() != ';'))
            return false;
        if (has_value) {
            rest_.remove_prefix(1);
            skip_blanks();
            if (!take_value(value))
                return false;
        }
        settings_.push_back({ section_, subsection_, name, std::move(value), from_ });
        return true;
    }

    // To the end of the line, which a backslash moves to the next one; quotes keep blanks and comments' marks.
    bool take_value(std::string& value)
    {
        bool is_quoted = false;
        std::size_t kept = 0; // without the blanks at its end
        for (; !rest_.empty() && rest_.front() != '\n'; rest_.remove_prefix(1)) {
            char const c = rest_.front();
            if (!is_quoted && (c == '#' || c == ';')) {
                rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
                break;
            }
            if (c == '"') {
                is_quoted = !is_quoted;
                continue;
            }
            if (c == '\\') {
                rest_.remove_prefix(rest_.substr(1).starts_with("\r\n") ? 2 : 1);
                if (rest_.empty() || !take_escaped(value))
                    return false;
                kept = value.size();
                continue;
            }
            value += c;
            kept = is_quoted || !is_blank(c) ? value.size() : kept;
        }
        value.resize(kept);
        return !is_quoted;
    }

    bool take_escaped(std::string& value) const
    {
        switch (rest_.front()) {
        case '\n': return true;
        case 't': value += '\t'; return true;
        case 'n': value += '\n'; return true;
        case 'b': value += '\b'; return true;
        case '"':
        case '\\': value += rest_.front(); return true;
        default: return false;
        }
    }

    std::string_view rest_;
    std::string const& from_;
    std::string section_, subsection_;
    std::vector<GitSetting> settings_;
};

Path expanded(std::string const& path, Path const& home, Path const& beside)
{
    if (path.starts_with("~/"))
        return home / path.substr(2);
    return path.starts_with('/') ? Path(path) : beside / path;
}

void append_file(std::vector<GitSetting>& settings, Path const& file, Path const& home, int depth = 0)
{
    auto const bytes = read_regular_file(file, git_config_bytes_max);
    if (bytes.is_error())
        return;
    for (auto& setting : parse_git_config(as_text(*bytes), file.string())) {
        if (settings.size() >= git_settings_max)
            return;
        bool const is_include = (setting.section == "include" || setting.section == "includeif") && setting.name == "path" && !setting.value.empty();
        auto const included = is_include ? expanded(setting.value, home, file.parent_path()) : Path();
        settings.push_back(std::move(setting));
        if (is_include && depth < git_includes_max)
            append_file(settings, included, home, depth + 1);
    }
}

std::string first_line(Path const& file)
{
    auto const bytes = read_regular_file(file, git_config_bytes_max);
    auto const text = bytes.is_ok() ? as_text(*bytes) : std::string_view();
    return std::string(text.substr(0, text.find_first_of("\r\n")));
}

// SPEC: gitrepository-layout(5): `.git` is a folder, or a file that names one, which may name the one it shares.
Path repository_config(Variables const& variables, Path folder)
{
    std::error_code error;
    Path found = text_of(variables, "GIT_DIR");
    for (int above = 0; found.empty() && !folder.empty() && above < folders_above_max; ++above) {
        if (std::filesystem::exists(folder / ".git", error))
            found = folder / ".git";
        else if (std::filesystem::exists(folder / "HEAD", error) && std::filesystem::is_directory(folder / "objects", error))
            found = folder; // a bare one
        if (folder == folder.parent_path())
            break;
        folder = folder.parent_path();
    }
    constexpr std::string_view mark = "gitdir: ";
    if (auto const line = std::filesystem::is_directory(found, error) ? "" : first_line(found); line.starts_with(mark))
        found = expanded(line.substr(mark.size()), {}, found.parent_path());
    if (auto const shared = first_line(found / "commondir"); !shared.empty())
        found = expanded(shared, {}, found);
    return found.empty() ? found : found / "config";
}

// `http.https://git.example.extraHeader`
void append_variables(std::vector<GitSetting>& settings, Variables const& variables)
{
    for (std::size_t i = 0; settings.size() < git_settings_max; ++i) {
        auto const key = variables.find("GIT_CONFIG_KEY_" + std::to_string(i));
        if (key == variables.end())
            break;
        auto const& text = key->second;
        auto const first = text.find('.'), last = text.rfind('.');
        if (first == std::string::npos)
            continue;
        settings.push_back({ lowered(text.substr(0, first)), first == last ? "" : text.substr(first + 1, last - first - 1), lowered(text.substr(last + 1)),
            text_of(variables, "GIT_CONFIG_VALUE_" + std::to_string(i)), "GIT_CONFIG_VALUE_" + std::to_string(i) });
    }
}

std::string without_login(std::string const& url)
{
    auto const parts = parse_login_url(url);
    if (parts)
        return parts->scheme + "://" + (parts->user.empty() && parts->password.empty() ? "" : "…@") + parts->rest;
    // No URL that git would go to, and still what somebody wrote a password into.
    auto const at = url.rfind('@');
    return at == std::string::npos ? url : "…" + url.substr(at);
}

std::string host_of(std::string const& url)
{
    auto const parts = parse_login_url(url);
    return parts ? parts->host : "";
}

bool is_extra_header(GitSetting const& setting) { return setting.section == "http" && setting.name == "extraheader"; }

bool is_secret_header(GitSetting const& setting)
{
    static constexpr std::string_view names[] = { "authorization", "proxy-authorization", "private-token", "job-token", "cookie", "x-api-key" };
    if (!is_extra_header(setting))
        return false;
    auto const name = lowered(std::string_view(setting.value).substr(0, setting.value.find_first_of(": \t")));
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool has_password(std::string const& url)
{
    auto const parts = parse_login_url(url);
    return parts && !parts->password.empty();
}

// The key as git has it, without what is secret in it.
std::string key_of(GitSetting const& setting, std::string_view name)
{
    return setting.section + "." + (setting.subsection.empty() ? "" : without_login(setting.subsection) + ".") + std::string(name);
}

// The file that `store` is told of: `store --file=PATH` or `store --file PATH`.
std::string store_file(std::string const& helper)
{
    constexpr std::string_view option = "--file";
    auto const at = helper.find(option);
    if (at == std::string::npos || at + option.size() + 1 >= helper.size())
        return "";
    auto const word = helper.substr(at + option.size() + 1);
    return word.substr(0, word.find_first_of(" \t"));
}

std::string without_user(std::string const& url)
{
    auto const parts = parse_login_url(url);
    return parts ? parts->scheme + "://" + parts->rest : url;
}

// Whether a setting of a section for URLs speaks of what is at or below a place; the user's name in it does not count.
bool is_within(std::string const& subsection, std::string const& place)
{
    auto const url = without_user(subsection), above = without_user(place);
    return url.starts_with(above) && (url.size() == above.size() || url[above.size()] == '/' || above.ends_with('/'));
}

bool is_at_or_above(std::string const& subsection, std::string const& url) { return subsection.empty() || is_within(url, subsection); }

// SECURITY: a section's URL is written down again, and a password in it is not: git does not look at that when it compares.
std::string without_password(std::string const& url)
{
    auto const parts = parse_login_url(url);
    return parts && !parts->password.empty() ? parts->scheme + "://" + parts->user + "@" + parts->rest : url;
}

// An empty header takes away all that stood before; what is no secret is said again.
std::string header_reset(std::vector<GitSetting> const& settings, std::string const& url)
{
    auto text = "[http " + git_quoted(without_password(url)) + "]\n\textraHeader =\n";
    for (auto const& setting : settings) {
        bool const is_harmless = is_extra_header(setting) && !setting.value.empty() && !is_secret_header(setting) && setting.value.find('\n') == std::string::npos;
        if (is_harmless && is_at_or_above(setting.subsection, url))
            text += "\textraHeader = " + git_quoted(setting.value) + "\n";
    }
    return text;
}

} // namespace

std::vector<GitSetting> parse_git_config(std::string_view text, std::string const& from)
{
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    return Parser(text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text, from).settings();
}

std::vector<GitSetting> read_git_settings(Variables const& variables, Path const& home, Path const& folder)
{
    std::vector<GitSetting> settings;
    auto const system = text_of(variables, "GIT_CONFIG_SYSTEM"), global = text_of(variables, "GIT_CONFIG_GLOBAL"), moved = text_of(variables, "XDG_CONFIG_HOME");
    auto const no_system = lowered(text_of(variables, "GIT_CONFIG_NOSYSTEM"));
    if (no_system.empty() || no_system == "0" || no_system == "false" || no_system == "no" || no_system == "off")
        append_file(settings, system.empty() ? Path("/etc/gitconfig") : Path(system), home);
    if (!global.empty()) {
        append_file(settings, global, home);
    } else if (!home.empty()) {
        append_file(settings, (moved.empty() ? home / ".config" : Path(moved)) / "git/config", home);
        append_file(settings, home / ".gitconfig", home);
    }
    if (auto const own = repository_config(variables, folder); !own.empty())
        append_file(settings, own, home);
    append_variables(settings, variables);
    return settings;
}

std::vector<StaticCredential> git_static_credentials(std::vector<GitSetting> const& settings)
{
    std::vector<StaticCredential> found;
    auto const add = [&found](GitSetting const& setting, std::string_view name, std::string const& url, bool always_wins) {
        StaticCredential const one { .name = setting.from, .family = "Git", .is_file = setting.from.starts_with('/'), .always_wins = always_wins,
            .key = key_of(setting, name), .host = host_of(url) };
        if (std::find(found.begin(), found.end(), one) == found.end())
            found.push_back(one);
    };
    for (auto const& setting : settings) {
        bool const is_rewriting = setting.section == "url" && (setting.name == "insteadof" || setting.name == "pushinsteadof");
        bool const is_remote = (setting.section == "remote" || setting.section == "submodule") && (setting.name == "url" || setting.name == "pushurl");
        if (is_secret_header(setting))
            add(setting, "extraHeader", setting.subsection, false);
        else if (is_rewriting && has_password(setting.subsection))
            add(setting, setting.name == "insteadof" ? "insteadOf" : "pushInsteadOf", setting.subsection, true);
        else if (is_remote && has_password(setting.value))
            add(setting, setting.name, setting.value, true);
    }
    return found;
}

std::vector<Path> git_stored_credentials(std::vector<GitSetting> const& settings, Variables const& variables, Path const& home)
{
    auto const moved = text_of(variables, "XDG_CONFIG_HOME");
    std::vector<Path> files;
    if (!home.empty())
        files = { home / ".git-credentials", (moved.empty() ? home / ".config" : Path(moved)) / "git/credentials" };
    for (auto const& setting : settings) {
        if (setting.section != "credential" || setting.name != "helper" || setting.value.find("store") == std::string::npos)
            continue;
        if (auto const file = store_file(setting.value); !file.empty())
            files.push_back(expanded(file, home, {}));
    }
    return files;
}

std::vector<Path> git_cache_sockets(Variables const& variables, Path const& home)
{
    auto const moved = text_of(variables, "XDG_CACHE_HOME");
    if (home.empty())
        return {};
    return { home / ".git-credential-cache/socket", (moved.empty() ? home / ".cache" : Path(moved)) / "git/credential/socket" };
}

std::string git_precedence_text(std::vector<GitSetting> const& settings, std::vector<Place> const& places, std::function<bool(std::string_view)> const& has_netrc)
{
    std::string text;
    std::set<std::string> reset;
    for (auto const& place : places) {
        std::vector<std::string> urls;
        if (std::any_of(settings.begin(), settings.end(), is_secret_header))
            urls.push_back(place.url);
        // A section that says more of the URL than the place does would not heed what is said for the place.
        for (auto const& setting : settings) {
            if (is_secret_header(setting) && is_within(setting.subsection, place.url))
                urls.push_back(setting.subsection);
        }
        for (auto const& url : urls)
            text += reset.insert(url).second ? header_reset(settings, url) : "";
        // With an empty name of its own git asks nobody else for one, and its helper when the server says no to that.
        if (has_netrc(host_of(place.url)))
            text += "[http " + git_quoted(place.url) + "]\n\temptyAuth = true\n";
    }
    return text;
}

} // namespace writ::cli
