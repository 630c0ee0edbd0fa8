// SPDX-License-Identifier: Apache-2.0
//
// A role of the real executable, or another program, as a child process. It ends with the object.
#pragma once

#include "harness/measured.h"

#include "base/durable_file.h"
#include "base/json.h"
#include "net/http_client.h"
#include "net/task.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace writ::bench {

struct Memory {
    double resident = 0; // MB of 2^20 bytes
    double proportional = 0; // a page shared with n processes counts as 1/n
    double own = 0; // anonymous: what no file backs
    double peak = 0; // resident, at any time
};

// All threads of a process, those that have ended too; in ticks of 10 ms.
double cpu_seconds_of(pid_t);

class Server {
public:
    // The child writes to `log`. Its first instruction is still to come.
    Server(std::vector<std::string> arguments, Path const& log);
    // Of another program than Writ.
    Server(std::string const& program, std::vector<std::string> const& arguments, Path const& log);
    ~Server(); // SIGTERM, and waits
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool is_running() const;
    [[nodiscard]] CpuTime cpu_time() const;
    [[nodiscard]] Memory memory() const;
    void stop();
    void kill(); // SIGKILL

private:
    void end(int signal);

    mutable pid_t pid_ = -1;
};

// One installation of Writ under a temporary folder.
class Installation {
public:
    // `parent`: on the disk that is to be measured. Empty: /tmp.
    explicit Installation(Path const& parent);
    ~Installation();
    Installation(Installation const&) = delete;
    Installation& operator=(Installation const&) = delete;

    [[nodiscard]] Path const& folder() const { return folder_; }
    [[nodiscard]] std::string admin_socket() const { return run_folder_ + "/authority.sock"; }
    [[nodiscard]] std::string run_socket() const { return run_folder_ + "/run.sock"; }
    [[nodiscard]] std::string agent_socket() const { return run_folder_ + "/agent.sock"; }

    [[nodiscard]] std::vector<std::string> authority_arguments() const;
    [[nodiscard]] std::vector<std::string> dev_arguments() const;
    // With `join_token` in a file.
    [[nodiscard]] std::vector<std::string> agent_arguments(std::string const& authority, std::string const& join_token) const;
    [[nodiscard]] Path log() const { return folder_ / "writ.log"; }

private:
    Path folder_;
    std::string run_folder_;
};

inline constexpr auto trust_domain = "bench.example";

// Waits until GET `path` on the unix socket is answered with 200 and the answer contains `expected`. Ends the program if it never does.
void wait_until_answered(net::EventLoop&, Server const&, std::string const& socket, std::string const& path, std::string const& expected = "");

// One request over a unix socket; ends the program, with what the server said, unless it is answered with 200.
JsonObject ask(net::EventLoop&, std::string const& socket, std::string method, std::string path, JsonObject const& body = {});

// Declares what benchmarks ask about: workloads, data sets and policies.
void declare(net::EventLoop&, std::string const& admin_socket, std::vector<std::pair<std::string, std::string>> const& files);

// An authority that has what is declared, and can be asked to decide.
struct DecidingAuthority {
    explicit DecidingAuthority(Path const& parent);

    Installation installation;
    net::EventLoop loop;
    Server server;
};

[[noreturn]] void give_up(std::string const& why);

} // namespace writ::bench
