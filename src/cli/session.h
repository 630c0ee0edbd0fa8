// SPDX-License-Identifier: Apache-2.0
//
// What every command shares: where the sockets are, how to print, and the calls to authority and agent. Commands block; each has a loop of
// its own.
#pragma once

#include "base/durable_file.h"
#include "base/json.h"
#include "net/http_message.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace writ::cli {

// As sysexits.h has them, where it has one.
enum class Exit : int {
    ok = 0,
    failure = 1,
    usage = 2,
    unreachable = 69, // EX_UNAVAILABLE
    refused = 77,     // EX_NOPERM
    static_secret = 78, // EX_CONFIG: `writ run --strict` found a static credential
};

Exit exit_of(ErrorCode);

class DeclarationReader; // declarations.h

struct Session {
    std::string run_dir; // empty: the default
    bool json = false;

    // What stands behind `--` of a command that runs another: each word as it is, which CLI11 would take for a list if it is in brackets.
    std::vector<std::string> words;

    // Set by the command that was chosen; returns the process's exit code.
    std::function<int()> action;

    // How declarations are read; set by whoever composes the program.
    std::shared_ptr<DeclarationReader const> declarations;

    // Whether `command` is what stands behind `--`, as a whole; otherwise the action says what is wrong. Without `--` it stays as it is.
    bool take_words(std::vector<std::string>& command);

    [[nodiscard]] Path run_folder() const;
    [[nodiscard]] bool is_run_folder_named() const; // by somebody, who vouches for it
};

// Where a role of this user makes its sockets, if nobody says where: $WRIT_RUN_DIR, else /run/writ for root, else $XDG_RUNTIME_DIR/writ, else /tmp/writ-UID.
Path own_run_folder();
// Where to look for them: there, if anybody serves there, else in /run/writ.
Path default_run_folder();
// SECURITY: /tmp is everybody's, and whoever makes the folder there first would pose as this user's agent. permission_denied: neither this user nor root made it, or others write
// to it; not_found: there is none.
Result<> check_run_folder(Path const&);
// /var/lib/writ for root, else $XDG_DATA_HOME/writ or ~/.local/share/writ.
Path default_data_folder();

// A request to the authority's administration socket, or to the agent's run socket; a response of status 400 and above is an error with its
// detail.
Result<net::Response> call_authority(Session const&, net::Request);
Result<net::Response> call_agent(Session const&, net::Request);
// The response whatever its status.
Result<net::Response> send_to_authority(Session const&, net::Request);
Result<net::Response> send_to_agent(Session const&, net::Request);

net::Request get_request(std::string path, net::Parameters query = {});
net::Request post_request(std::string path, JsonValue const& body);

// The JSON object in a response.
Result<JsonObject> object_of(Result<net::Response>);
Error to_error(net::Response const&);

} // namespace writ::cli
