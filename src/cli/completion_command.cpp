// SPDX-License-Identifier: Apache-2.0
//
// Completion scripts, made from the tree of commands itself, so that they cannot lag behind it.
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Words {
    std::string path;  // ` audit list`
    std::string words; // what may follow
    std::vector<std::pair<std::string, std::string>> described;
};

void collect(CLI::App const& app, std::string const& path, std::vector<Words>& all)
{
    Words words { path, "", {} };
    for (auto const* command : app.get_subcommands([](CLI::App const* candidate) { return !candidate->get_name().empty(); })) {
        words.words += command->get_name() + " ";
        words.described.emplace_back(command->get_name(), command->get_description());
    }
    for (auto const* option : app.get_options()) {
        for (auto const& name : option->get_lnames())
            words.words += "--" + name + " ";
    }
    all.push_back(std::move(words));
    for (auto const* command : app.get_subcommands([](CLI::App const* candidate) { return !candidate->get_name().empty(); }))
        collect(*command, path + " " + command->get_name(), all);
}

std::string bash_script(std::vector<Words> const& all)
{
    std::string script = "_writ() {\n    local path= word\n    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do case $word in -*) ;; "
                         "--) return ;; *) path+=\" $word\" ;; esac; done\n"
                         "    local words=\n    case $path in\n";
    for (auto const& words : all)
        script += "        '" + words.path + "') words='" + words.words + "' ;;\n";
    return script
        + "        *) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _writ writ\n";
}

std::string shell_quoted(std::string_view text)
{
    std::string result = "'";
    for (char const c : text) {
        if (c == '\'' || c == '\\')
            result += '\\';
        result += c;
    }
    return result + "'";
}

std::string fish_script(std::vector<Words> const& all)
{
    std::string script = "complete -c writ -f\n";
    for (auto const& words : all) {
        auto const condition = words.path.empty() ? std::string("__fish_use_subcommand")
                                                  : "__fish_seen_subcommand_from" + words.path.substr(words.path.rfind(' '));
        for (auto const& [name, description] : words.described)
            script += "complete -c writ -n " + shell_quoted(condition) + " -a " + name + " -d " + shell_quoted(description) + "\n";
    }
    return script;
}

int print_script(CLI::App const& app, std::string const& shell)
{
    std::vector<Words> all;
    collect(app, "", all);
    if (shell == "fish")
        print_line(fish_script(all));
    else if (shell == "zsh")
        print_line("autoload -U +X bashcompinit && bashcompinit\n" + bash_script(all));
    else
        print_line(bash_script(all));
    return 0;
}

} // namespace

void add_completion_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("completion", "A script that completes commands and options in your shell");
    auto const shell = std::make_shared<std::string>();
    command->add_option("shell", *shell, "bash, zsh or fish")->required()->check(CLI::IsMember({ "bash", "zsh", "fish" }));
    command->footer("Examples:\n  source <(writ completion bash)\n  writ completion fish > ~/.config/fish/completions/writ.fish");
    command->callback([&app, &session, shell] { session.action = [&app, shell] { return print_script(app, *shell); }; });
}

void add_json_flag(CLI::App& app, Session& session) { app.add_flag("--json", session.json, "Print JSON"); }

void add_run_dir_option(CLI::App& app, Session& session)
{
    app.add_option("--run-dir", session.run_dir, "Folder of the sockets (default: $WRIT_RUN_DIR, your own runtime folder, or the node's /run/writ)")
        ->type_name("DIR");
}

} // namespace writ::cli
