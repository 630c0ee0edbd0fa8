// SPDX-License-Identifier: Apache-2.0
//
// The runs of this node: started for a process that has not run yet, renewed while it lives, ended when it does, whoever is alive to see
// it. One loop.
#pragma once

#include "agent/agent_files.h"
#include "agent/delivery.h"
#include "agent/run_folder.h"
#include "agent/session_cache.h"
#include "base/random.h"
#include "net/notification.h"

#include <map>
#include <memory>
#include <set>

namespace writ::agent {

// LIMIT: runs of one node at once.
inline constexpr std::size_t runs_max = 4096;
// LIMIT: of one user, so that nobody takes all of them.
inline constexpr std::size_t user_runs_max = 1024;

struct RunStart {
    attest::AttestedProcess process;
    UniqueFd pidfd;
    std::string purpose;
    std::string workload; // named by the user; may be empty
    JsonArray uses;       // may be empty
    std::optional<std::int64_t> rank {}; // of a job that is many processes
    SecretText token {}; // of a run that was decided on when it was submitted; may be empty
};

struct RunStarted {
    std::string id;
    std::string workload;
    std::map<std::string, std::string> environment;
    Path folder;
    std::vector<RunPlace> places;
};

class RunWatch {
public:
    // `folder` is the agent's own, `run_folders` where the private folders of runs are.
    RunWatch(net::EventLoop&, AuthorityClient&, SessionCache&, Clock const&, RandomSource&, Path folder, Path run_folders);
    RunWatch(RunWatch const&) = delete;
    RunWatch& operator=(RunWatch const&) = delete;

    // Runs of before a restart: those that live are watched again, the others ended. Before anything else.
    Result<> restore();

    // Where jobs find the agent's local endpoint, which has no other port as long as they live. Before the first run starts.
    void use_loopback_port(std::uint16_t port) { loopback_port_ = port; }

    // A response of the authority other than 200 is handed on as it is. conflict: the process has a run already.
    net::Task<Result<std::variant<RunStarted, net::Response>>> start(RunStart);
    // Has a run decided on that starts later: the authority's answer, with a token for it, or what it said otherwise.
    net::Task<Result<net::Response>> promise(RunStart, std::int64_t seconds);
    // Returns when its credentials are gone. not_found: no such run of that user (0: of any). unavailable: the authority has not heard yet;
    // it is told until it has.
    net::Task<Result<>> end(std::string run, uid_t uid, std::string reason);
    [[nodiscard]] std::vector<WatchedRun> runs_of(uid_t) const; // of all, for root
    // The live run that one of these processes is the first of; the nearest, if there are several; or the one in whose group the first of them is. Null: none.
    // SECURITY: the caller sees to it afterwards that the first number is still of the process that it means.
    [[nodiscard]] WatchedRun const* run_of_process(std::span<pid_t const> process_with_ancestors) const;

    // Asks for all runs anew, at once: policy changed, and what is not allowed any more is taken back.
    void renew_now();

    // Tells the authority which runs live; called when it was away. Runs that ended meanwhile are ended there.
    net::Task<Result<>> sync();

private:
    struct Watched {
        WatchedRun run;
        std::shared_ptr<UniqueFd> pidfd;
        net::Notification news; // of its end, or a reason to renew it
        bool is_over = false;   // and the authority is being told
        bool is_gone = false;   // the authority has heard
    };

    [[nodiscard]] Result<> check_room(RunStart const&) const;
    net::Task<Result<std::variant<RunStarted, net::Response>>> begin(RunStart);
    net::Task<Result<Delivery>> fetch_deliveries(std::shared_ptr<Watched> watched, SecretText const* handle);
    net::Task<> rotate(std::shared_ptr<Watched> watched, std::vector<SessionUse> uses);
    Result<> replace_files(WatchedRun& run, std::string const& provider, SecretText const& document);
    Result<> remember_delivery(WatchedRun& run, std::string const& provider, Delivery const& delivery);
    static Result<> check_files(WatchedRun const& run, std::string const& provider, Delivery const& delivery);
    void take_files_away(WatchedRun const& run, std::string const& provider);
    void remove_groups(attest::ProcessCgroup const& ended);
    void begin_watching(std::shared_ptr<Watched> const& watched);
    void prepare_sessions(WatchedRun const& run);
    net::Task<> watch(std::shared_ptr<Watched> watched);
    net::Task<> finish(std::shared_ptr<Watched> watched, std::string reason);
    net::Task<> renew(std::shared_ptr<Watched> watched, std::uint64_t seen);
    Result<> save() const;

    net::EventLoop& loop_;
    AuthorityClient& authority_;
    SessionCache& sessions_;
    Clock const& clock_;
    RandomSource& random_;
    std::uint16_t loopback_port_ = 0;
    Path folder_;
    Path run_folders_;
    FolderRemover remover_;
    std::map<std::string, std::shared_ptr<Watched>> runs_;
    std::vector<attest::ProcessCgroup> groups_left_; // of runs that ended, with processes in them
    std::uint64_t changes_ = 0; // of policy and declarations, that were heard of
    std::map<pid_t, uid_t> starting_; // processes whose run the authority is being asked for
};

} // namespace writ::agent
