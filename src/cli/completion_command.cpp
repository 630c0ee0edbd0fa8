// SPDX-License-Identifier: Apache-2.0
//
// Completion in shells: what may stand where is asked of the tree of commands itself, so that no script can lag behind it.
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>
#include <span>
#include <utility>

namespace writ::cli {

namespace {

struct Candidate {
    std::string word, description;
};

bool takes_value(CLI::Option const& option) { return option.get_type_size_max() > 0 && option.get_expected_max() > 0; }

// `TEXT:{bash,zsh,fish}`: what an option may be, where that is a set.
void append_values(CLI::Option const& option, std::vector<Candidate>& candidates)
{
    auto const type = option.get_type_name();
    auto const begin = type.find('{');
    auto const end = type.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos)
        return;
    for (auto const& value : CLI::detail::split(type.substr(begin + 1, end - begin - 1), ','))
        candidates.push_back({ value, "" });
}

// Where the words before the last one lead.
struct Place {
    CLI::App const* command = nullptr;
    CLI::Option const* waits_for_value = nullptr;
    bool is_program = false; // behind `--`
};

Place place_of(CLI::App const& app, std::span<std::string const> words)
{
    Place place { &app };
    for (auto const& word : words) {
        if (std::exchange(place.waits_for_value, nullptr) != nullptr)
            continue;
        if (word == "--")
            return { place.command, nullptr, true };
        if (word.starts_with("-")) {
            auto const* option = word.find('=') == std::string::npos ? place.command->get_option_no_throw(word) : nullptr;
            place.waits_for_value = option != nullptr && takes_value(*option) ? option : nullptr;
        } else if (auto const next = place.command->get_subcommands([&word](CLI::App const* one) { return one->check_name(word); }); !next.empty()) {
            place.command = next.front();
        }
    }
    return place;
}

std::vector<Candidate> candidates_of(CLI::App const& app, std::span<std::string const> words)
{
    std::vector<Candidate> candidates;
    auto const last = words.empty() ? std::string() : words.back();
    auto const place = place_of(app, words.first(words.empty() ? 0 : words.size() - 1));
    if (place.is_program)
        return {};
    if (place.waits_for_value != nullptr) {
        append_values(*place.waits_for_value, candidates);
    } else if (last.starts_with("-")) {
        for (auto const* option : place.command->get_options()) {
            for (auto const& name : option->get_lnames())
                candidates.push_back({ "--" + name, option->get_description() });
        }
    } else {
        for (auto const* command : place.command->get_subcommands([](CLI::App const* one) { return !one->get_name().empty() && one->get_group() != ""; }))
            candidates.push_back({ command->get_name(), command->get_description() });
        for (auto const* option : place.command->get_options()) {
            if (option->get_positional())
                append_values(*option, candidates);
        }
    }
    std::erase_if(candidates, [&last](auto const& one) { return !one.word.starts_with(last); });
    return candidates;
}

int print_candidates(CLI::App const& app, std::span<std::string const> words)
{
    for (auto const& [word, description] : candidates_of(app, words))
        print_line(word + "\t" + description);
    return 0;
}

// Each asks `writ completion-words` what may stand there, and completes files where nothing of Writ's may.
constexpr std::string_view bash_script = R"(_writ() {
    local IFS=$'\n'
    COMPREPLY=($(writ completion-words -- "${COMP_WORDS[@]:1:$COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o bashdefault -o default -F _writ writ)";

constexpr std::string_view zsh_script = R"(#compdef writ
_writ() {
    local -a lines
    lines=("${(@f)$(writ completion-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${lines[1]}" ]]; then
        lines=("${(@)lines//:/\\:}")
        lines=("${(@)lines/$'\t'/:}")
        _describe 'writ' lines
    else
        _files
    fi
}
compdef _writ writ)";

constexpr std::string_view fish_script = R"(function __writ_words
    set -l words (commandline -opc) (commandline -ct)
    set -l found (writ completion-words -- $words[2..] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c writ -f -a '(__writ_words)')";

int print_script(std::string const& shell)
{
    print_line(std::string(shell == "fish" ? fish_script : shell == "zsh" ? zsh_script : bash_script));
    return 0;
}

} // namespace

void add_completion_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("completion", "A script that completes commands and options in your shell");
    auto const shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({ "bash", "zsh", "fish" }));
    command->footer("Examples:\n  source <(writ completion bash)\n  writ completion fish > ~/.config/fish/completions/writ.fish");
    command->callback([&session, shell] { session.action = [shell] { return print_script(*shell); }; });
    auto* words = app.add_subcommand("completion-words", "What may stand in the place of the last word")->group("");
    auto const given = std::make_shared<std::vector<std::string>>();
    words->add_option("words", *given, "Behind `--`: all words up to the cursor, the last one as far as it is typed");
    words->callback([&app, &session, given] {
        if (session.take_words(*given))
            session.action = [&app, given] { return print_candidates(app, *given); };
    });
}

void add_json_flag(CLI::App& app, Session& session) { app.add_flag("--json", session.json, "Print JSON"); }

void add_run_dir_option(CLI::App& app, Session& session)
{
    app.add_option("--run-dir", session.run_dir, "Folder of the sockets (default: $WRIT_RUN_DIR, your own runtime folder, or the node's /run/writ)")
        ->type_name("DIR");
}

} // namespace writ::cli
