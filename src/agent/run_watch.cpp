// SPDX-License-Identifier: Apache-2.0
#include "agent/run_watch.h"

#include "agent/client_environment.h"
#include "agent/injection.h"
#include "agent/receipts.h"
#include "base/logger.h"
#include "crypto/digest.h"

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace writ::agent {

namespace {

constexpr std::size_t handle_characters = 40; // 200 bits
constexpr Duration renew_retry = std::chrono::seconds(5);
constexpr Duration end_retry_first = std::chrono::milliseconds(200);
// LIMIT: how long who ends a run waits for the authority.
constexpr Duration end_wait_longest = std::chrono::seconds(20);
constexpr Duration end_retry_longest = std::chrono::seconds(10);
// LIMIT: refusals, with 6 seconds between the first and the last.
constexpr int end_refusals_max = 6;
// A run without leases is still told of now and then.
constexpr Duration renew_longest = std::chrono::minutes(5);
constexpr Duration rotate_retry = std::chrono::seconds(1);
// LIMIT: groups of runs that ended, while processes are in them; what is beyond stays until the machine starts anew.
constexpr std::size_t groups_left_max = 1024;
constexpr Duration rotate_longest = std::chrono::hours(1);

struct ParsedGrants {
    std::map<std::string, std::string> environment;
    std::vector<RunFile> files;
    std::vector<std::string> leases;
    std::optional<Timestamp> expires; // of the lease that ends first
    std::vector<std::uint64_t> records; // of the issuances
    std::vector<SessionUse> sessions, deliveries;
};

// What is there for the asking: no secret yet, but where and as what to ask.
Result<> parse_session(JsonObject const& grant, JsonObject const& session, std::vector<SessionUse>& uses, ParsedGrants& parsed)
{
    auto const& resource = *TRY(object_member(grant, "resource"));
    uses.push_back({ std::string(TRY(string_member(session, "provider"))), std::string(TRY(string_member(grant, "action"))),
        std::string(TRY(string_member(resource, "type"))), std::string(TRY(string_member(resource, "id"))), std::string(TRY(string_member(session, "kind"))) });
    for (auto const& member : *TRY(object_member(session, "environment"))) {
        if (!member.value().is_string())
            return invalid_argument("an environment variable is text");
        // The first provider is the one that clients find without being told of another.
        parsed.environment.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
    return {};
}

// Password and service files are lists: those of one name are one file, in the order of the grants.
void add_file(RunFile file, std::vector<RunFile>& files)
{
    auto const known = std::find_if(files.begin(), files.end(), [&file](auto const& one) { return one.name == file.name && one.variable == file.variable; });
    if (known == files.end())
        files.push_back(std::move(file));
    else
        known->content = SecretText(known->content.reveal() + file.content.reveal());
}

Result<> parse_credential(JsonObject const& credential, ParsedGrants& parsed)
{
    parsed.leases.emplace_back(TRY(string_member(credential, "lease")));
    if (auto const record = integer_member(credential, "record"); record.is_ok() && *record >= 0)
        parsed.records.push_back(static_cast<std::uint64_t>(*record));
    auto const expires = TRY(parse_rfc3339(TRY(string_member(credential, "expires"))));
    parsed.expires = std::min(parsed.expires.value_or(expires), expires);
    for (auto const& member : *TRY(object_member(credential, "environment"))) {
        if (!member.value().is_string())
            return invalid_argument("an environment variable is text");
        // The first grant's is the one that clients find without being told of another.
        parsed.environment.emplace(std::string(member.key()), std::string(member.value().as_string()));
    }
    for (auto const& item : *TRY(array_member(credential, "files"))) {
        if (!item.is_object())
            return invalid_argument("a file is an object");
        auto const& file = item.as_object();
        auto const content = TRY(string_member(file, "content"));
        add_file({ std::string(TRY(string_member(file, "name"))), std::string(TRY(string_member(file, "variable"))), SecretText(std::string(content)) }, parsed.files);
    }
    return {};
}

Result<ParsedGrants> parse_grants(JsonObject const& answer)
{
    ParsedGrants parsed;
    for (auto const& item : *TRY(array_member(answer, "grants"))) {
        if (!item.is_object())
            return invalid_argument("a grant is an object");
        if (auto const* credential = item.as_object().if_contains("credential"); credential != nullptr && credential->is_object())
            TRY(parse_credential(credential->as_object(), parsed));
        if (auto const* session = item.as_object().if_contains("session"); session != nullptr && session->is_object())
            TRY(parse_session(item.as_object(), session->as_object(), parsed.sessions, parsed));
        if (auto const* delivery = item.as_object().if_contains("delivery"); delivery != nullptr && delivery->is_object())
            TRY(parse_session(item.as_object(), delivery->as_object(), parsed.deliveries, parsed));
    }
    return parsed;
}

JsonObject request_of(RunStart const& start)
{
    JsonObject request { { "claims", identity::to_json(start.process.claims) }, { "purpose", start.purpose } };
    if (!start.workload.empty())
        request.emplace("workload", start.workload);
    if (!start.uses.empty())
        request.emplace("uses", start.uses);
    if (!start.token.is_empty())
        request.emplace("token", start.token.reveal());
    if (start.rank)
        request.emplace("rank", *start.rank);
    return request;
}

} // namespace

RunWatch::RunWatch(
    net::EventLoop& loop, AuthorityClient& authority, SessionCache& sessions, Clock const& clock, RandomSource& random, Path folder, Path run_folders)
    : loop_(loop)
    , authority_(authority)
    , sessions_(sessions)
    , clock_(clock)
    , random_(random)
    , folder_(std::move(folder))
    , run_folders_(std::move(run_folders))
{
}

Result<> RunWatch::save() const
{
    std::vector<WatchedRun> runs;
    for (auto const& [id, watched] : runs_)
        runs.push_back(watched->run);
    return save_runs(folder_, runs);
}

Result<> RunWatch::restore()
{
    // Whoever a run is of passes through to its folder; what others there are, it need not see.
    TRY(create_folder(run_folders_, 0711));
    if (::chmod(run_folders_.c_str(), 0711) != 0) // an agent of before made it for itself alone
        return errno_error("set the mode of `" + run_folders_.string() + "`", errno);
    std::vector<std::string> live;
    std::set<std::string> groups;
    for (auto& run : TRY(load_runs(folder_))) {
        auto const watched = std::make_shared<Watched>();
        watched->run = std::move(run);
        groups.insert(watched->run.cgroup.path);
        runs_.emplace(watched->run.id, watched);
        auto pidfd = attest::open_process(watched->run.process);
        if (pidfd.is_ok()) {
            live.push_back(watched->run.id);
            watched->pidfd = std::make_shared<UniqueFd>(std::move(pidfd).value());
            begin_watching(watched);
        } else {
            loop_.spawn(finish(watched, "ended while the agent was away"));
        }
    }
    remove_other_run_folders(run_folders_, live, remover_);
    if (auto const removed = attest::remove_empty_run_cgroups(groups); removed != 0)
        log_info("groups of runs that had ended were removed", { { "count", removed } });
    return {};
}

Result<> RunWatch::check_room(RunStart const& start) const
{
    auto const& process = start.process.process;
    auto const is_of_process = [&process](auto const& entry) { return entry.second->run.process == process; };
    if (starting_.contains(process.pid) || std::any_of(runs_.begin(), runs_.end(), is_of_process))
        return conflict("process " + std::to_string(process.pid) + " has a run already");
    if (runs_.size() + starting_.size() >= runs_max)
        return resource_exhausted("this node has " + std::to_string(runs_max) + " runs already");
    auto const uid = start.process.uid;
    auto const count = std::count_if(runs_.begin(), runs_.end(), [uid](auto const& entry) { return entry.second->run.uid == uid; })
        + std::count_if(starting_.begin(), starting_.end(), [uid](auto const& entry) { return entry.second == uid; });
    if (static_cast<std::size_t>(count) >= user_runs_max)
        return resource_exhausted("this user has " + std::to_string(user_runs_max) + " runs already");
    return {};
}

// SECURITY: one process, one run: otherwise a single stopped child could take all runs of a node, with a role for each.
net::Task<Result<std::variant<RunStarted, net::Response>>> RunWatch::start(RunStart start)
{
    auto const room = check_room(start);
    if (room.is_error())
        co_return room.error();
    auto const pid = start.process.process.pid;
    starting_.emplace(pid, start.process.uid);
    auto begun = co_await begin(std::move(start));
    starting_.erase(pid);
    co_return begun;
}

net::Task<Result<net::Response>> RunWatch::promise(RunStart start, std::int64_t seconds)
{
    auto request = request_of(start);
    request.emplace("seconds", seconds);
    co_return co_await authority_.send("POST", "/v1/agent/grants", {}, JsonValue(std::move(request)));
}

net::Task<Result<std::variant<RunStarted, net::Response>>> RunWatch::begin(RunStart start)
{
    auto const changes = changes_;
    auto request = request_of(start);
    auto sent = co_await authority_.send("POST", "/v1/agent/runs", {}, JsonValue(std::move(request)));
    auto response = CO_TRY(sent);
    if (response.status != 200)
        co_return std::variant<RunStarted, net::Response>(std::move(response));
    auto answered = parse_json_object(response.body);
    wipe(response.body.data(), response.body.size());
    auto const answer = CO_TRY(answered);

    auto const watched = std::make_shared<Watched>();
    watched->run.id = std::string(string_or(answer, "run", ""));
    watched->run.workload = std::string(string_or(answer, "workload", ""));
    watched->run.workload_name = std::string(string_or(answer, "workload_name", ""));
    watched->run.purpose = start.purpose;
    watched->run.process = start.process.process;
    watched->run.uid = start.process.uid;
    watched->run.gid = start.process.gid;
    watched->run.started = clock_.now();
    watched->pidfd = std::make_shared<UniqueFd>(std::move(start.pidfd));
    auto parsed = parse_grants(answer);
    auto grants = CO_TRY(parsed);
    watched->run.leases = grants.leases;
    watched->run.sessions = grants.sessions;
    watched->run.deliveries = grants.deliveries;
    SecretText const handle(random_.base32(handle_characters));
    watched->run.handle_digest = to_hex(crypto::sha256(as_bytes(handle.reveal())));
    if (!watched->run.sessions.empty()) // AWS's clients are told where it lies; others know it
        grants.files.push_back({ "handle", watched->run.providers_of(aws_session_kind).empty() ? "" : "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", handle.duplicate() });
    watched->run.expires = grants.expires.value_or(clock_.now() + 2 * renew_longest);

    if (auto group = attest::enter_run_cgroup(watched->run.process.pid, watched->run.id); group.is_ok())
        watched->run.cgroup = std::move(group).value();
    // On disk before the job gets anything: a killed agent that comes back knows what to end.
    runs_.emplace(watched->run.id, watched);
    auto const saved = save();
    auto delivered = saved.is_ok() ? co_await fetch_deliveries(watched, &handle) : Result<Delivery>(saved.error());
    if (delivered.is_ok())
        std::move(delivered->files.begin(), delivered->files.end(), std::back_inserter(grants.files));
    auto folder = delivered.is_ok() ? create_run_folder(run_folders_, watched->run.id, start.process.uid, start.process.gid, grants.files)
                                    : Result<Path>(delivered.error());
    if (folder.is_error()) {
        co_await finish(watched, "its credentials could not be handed over");
        co_return folder.error();
    }
    auto own_environment = client_environment(watched->run, loopback_port_, handle);
    RunStarted started { watched->run.id, watched->run.workload, grants.environment, *folder, watched->run.places };
    for (auto* more : { &delivered->environment, &own_environment }) {
        for (auto& [name, value] : *more)
            started.environment.insert_or_assign(name, std::move(value));
    }
    name_in(started.environment, "{folder}", folder->string());
    for (auto const& file : grants.files) {
        if (!file.variable.empty())
            started.environment[file.variable] = (*folder / file.name).string();
    }
    if (!grants.records.empty()) {
        started.environment["WRIT_RECEIPT"] = (*folder / receipt_name(0)).string();
        loop_.spawn(deliver_receipts(
            authority_, run_folders_, { watched->run.id, start.process.uid, start.process.gid, grants.records }));
    }
    begin_watching(watched);
    // SECURITY: what changed while the authority decided may have been decided by what held before.
    if (changes_ != changes)
        watched->news.notify();
    prepare_sessions(watched->run);
    co_return std::variant<RunStarted, net::Response>(std::move(started));
}

void RunWatch::begin_watching(std::shared_ptr<Watched> const& watched)
{
    loop_.spawn(watch(watched));
    loop_.spawn(renew(watched, watched->news.version()));
    for (auto& [provider, uses] : by_provider(watched->run.deliveries))
        loop_.spawn(rotate(watched, std::move(uses)));
}

// A job that cannot have all of its tokens does not start.
net::Task<Result<Delivery>> RunWatch::fetch_deliveries(std::shared_ptr<Watched> watched, SecretText const* handle)
{
    Delivery all;
    for (auto const& [provider, uses] : by_provider(watched->run.deliveries)) {
        auto const session = co_await sessions_.get(watched->run.id, uses);
        if (session.is_error())
            co_return Error(session.error()).in("CredentialProvider `" + provider + "`");
        auto parsed = parse_delivery(*session->document);
        auto delivery = CO_TRY(parsed);
        auto const remembered = remember_delivery(watched->run, provider, delivery);
        if (remembered.is_error())
            co_return remembered.error();
        name_injection(delivery.environment, delivery.places, loopback_port_, *handle);
        all.environment.merge(delivery.environment);
        std::move(delivery.files.begin(), delivery.files.end(), std::back_inserter(all.files));
    }
    co_return all;
}

// What is to be taken away, and what clients may ask for, is on disk before the job has it.
Result<> RunWatch::remember_delivery(WatchedRun& run, std::string const& provider, Delivery const& delivery)
{
    std::vector<std::string> names;
    for (auto const& file : delivery.files)
        names.push_back(file.name);
    auto places = run.places;
    std::erase_if(places, [&provider](auto const& place) { return place.provider == provider; });
    std::ranges::move(places_of(provider, delivery), std::back_inserter(places));
    bool const is_known = run.delivered_files.contains(provider) && run.delivered_files.at(provider) == names && run.places == places;
    run.delivered_files[provider] = std::move(names);
    run.places = std::move(places);
    return is_known ? Result<>() : save();
}

// SECURITY: what is declared may have changed since the run began: a file that another provider has there is not replaced.
Result<> RunWatch::check_files(WatchedRun const& run, std::string const& provider, Delivery const& delivery)
{
    for (auto const& [other, names] : run.delivered_files) {
        for (auto const& file : delivery.files) {
            if (other != provider && std::find(names.begin(), names.end(), file.name) != names.end())
                return conflict("CredentialProviders `" + other + "` and `" + provider + "` would both write file `" + file.name + "`");
        }
    }
    return {};
}

Result<> RunWatch::replace_files(WatchedRun& run, std::string const& provider, SecretText const& document)
{
    auto const delivery = TRY(parse_delivery(document));
    TRY(check_files(run, provider, delivery));
    for (auto const& file : delivery.files)
        TRY(add_run_file(run_folders_, run.id, run.uid, run.gid, file));
    return remember_delivery(run, provider, delivery);
}

void RunWatch::take_files_away(WatchedRun const& run, std::string const& provider)
{
    auto const delivered = run.delivered_files.find(provider);
    if (delivered == run.delivered_files.end())
        return;
    for (auto const& name : delivered->second) {
        auto const removed = remove_run_file(run_folders_, run.id, name);
        if (removed.is_error())
            log_warning("a file of a run is still there", { { "run", run.id }, { "file", name }, { "error", removed.error().message } });
    }
}

// One provider's files, for as long as the run lives.
net::Task<> RunWatch::rotate(std::shared_ptr<Watched> watched, std::vector<SessionUse> uses)
{
    auto const provider = uses.front().provider;
    std::shared_ptr<SecretText const> written;
    while (!watched->is_over) {
        auto const seen = watched->news.version(); // before asking: what comes while the authority answers is asked about again
        auto const session = co_await sessions_.get(watched->run.id, uses);
        if (watched->is_over)
            co_return;
        Duration wait = rotate_retry;
        if (session.is_ok()) {
            auto const replaced = session->document == written ? Result<>() : replace_files(watched->run, provider, *session->document);
            if (replaced.is_error())
                log_warning("a run's files were not replaced", { { "run", watched->run.id }, { "error", replaced.error().message } });
            else
                written = session->document;
            wait = replaced.is_error() ? rotate_retry : Duration(session->renew_at - clock_.now());
        } else if (session.error().code != ErrorCode::unavailable) {
            // SECURITY: an answer that says no takes the files away; no answer does not: what is in them ends by itself.
            take_files_away(watched->run, provider);
            written.reset();
            wait = renew_longest;
        }
        co_await watched->news.wait_past(seen, std::clamp(wait, rotate_retry, rotate_longest));
    }
}

// The job will ask for its first provider's session within a second, as a rule.
void RunWatch::prepare_sessions(WatchedRun const& run)
{
    std::set<std::string> kinds;
    for (auto const& use : run.sessions) {
        if (kinds.insert(use.kind).second)
            sessions_.prepare(run.id, run.uses_of("", use.kind));
    }
}

net::Task<> RunWatch::watch(std::shared_ptr<Watched> watched)
{
    while (!watched->is_over && attest::is_alive(watched->pidfd->get())) {
        // The deadline only bounds what one wait can miss.
        auto const ended = co_await net::wait_readable(watched->pidfd->get(), std::chrono::minutes(1));
        (void)ended.is_ok();
    }
    if (!watched->is_over)
        co_await finish(watched, "its process ended");
}

// Tells the authority until it has heard; the job's files go at once.
net::Task<> RunWatch::finish(std::shared_ptr<Watched> watched, std::string reason)
{
    if (watched->is_over)
        co_return;
    watched->is_over = true;
    watched->news.notify();
    remove_run_folder(run_folders_, watched->run.id, remover_);
    remove_groups(watched->run.cgroup);
    sessions_.forget(watched->run.id);
    auto wait = end_retry_first;
    int refusals = 0;
    for (;;) {
        auto const answer = co_await authority_.post("/v1/agent/runs/" + watched->run.id + "/end", JsonObject { { "reason", reason } });
        if (answer.is_ok() || answer.error().code == ErrorCode::not_found)
            break;
        if (answer.error().code == ErrorCode::invalid_argument)
            reason = "ended"; // whatever is wrong with the words, the credentials go
        // What cannot be taken back the authority has marked, and asks for again by itself; the node need not remember the run for that.
        if (answer.error().code == ErrorCode::permission_denied && ++refusals == end_refusals_max) {
            log_error("a run has ended, and not all of its credentials could be taken back", { { "run", watched->run.id }, { "error", answer.error().message } });
            break;
        }
        log_warning("the end of a run was not heard yet", { { "run", watched->run.id }, { "error", answer.error().message } });
        co_await net::delay(wait);
        wait = std::min(wait * 2, end_retry_longest);
    }
    watched->is_gone = true;
    watched->news.notify();
    runs_.erase(watched->run.id);
    if (auto const saved = save(); saved.is_error())
        log_warning("the list of runs was not written", { { "error", saved.error().message } });
}

net::Task<Result<>> RunWatch::end(std::string id, uid_t uid, std::string reason)
{
    auto const found = runs_.find(id);
    // SECURITY: another user's run is not there.
    if (found == runs_.end() || (uid != 0 && found->second->run.uid != uid))
        co_return not_found("no such run");
    auto const watched = found->second;
    loop_.spawn(finish(watched, std::move(reason)));
    auto const deadline = clock_.monotonic() + end_wait_longest;
    while (!watched->is_gone) {
        auto const seen = watched->news.version();
        auto const left = deadline - clock_.monotonic();
        if (left <= Duration(0))
            co_return unavailable("the authority has not heard of the run's end yet");
        co_await watched->news.wait_past(seen, left);
    }
    co_return Result<>();
}

std::vector<WatchedRun> RunWatch::runs_of(uid_t uid) const
{
    std::vector<WatchedRun> runs;
    for (auto const& [id, watched] : runs_) {
        if (uid == 0 || watched->run.uid == uid)
            runs.push_back(watched->run);
    }
    return runs;
}

// That of a run which ended, and those that had processes when theirs did.
void RunWatch::remove_groups(attest::ProcessCgroup const& ended)
{
    if (ended.exists() && groups_left_.size() < groups_left_max)
        groups_left_.push_back(ended);
    std::erase_if(groups_left_, attest::remove_cgroup);
}

// SECURITY: a number in the list is that of the run's first process only if that process, by its pidfd, still lives: then nobody else has its number.
WatchedRun const* RunWatch::run_of_process(std::span<pid_t const> process_with_ancestors) const
{
    if (process_with_ancestors.empty())
        return nullptr;
    auto const path = attest::cgroup_path_of(process_with_ancestors.front());
    for (auto const pid : process_with_ancestors) {
        for (auto const& [id, watched] : runs_) {
            bool const is_first = watched->run.process.pid == pid && !watched->is_over && watched->pidfd && attest::is_alive(watched->pidfd->get());
            // What a run within this one has left is not this one's.
            if (is_first)
                return attest::is_in_run_below(path, watched->run.cgroup) ? nullptr : &watched->run;
        }
    }
    // Of a process whose parents ended, the group tells.
    for (auto const& [id, watched] : runs_) {
        if (!watched->is_over && attest::is_within(path, watched->run.cgroup) && !attest::is_in_run_below(path, watched->run.cgroup))
            return &watched->run;
    }
    return nullptr;
}

net::Task<> RunWatch::renew(std::shared_ptr<Watched> watched, std::uint64_t seen)
{
    while (!watched->is_over) {
        auto const left = std::max(Duration(0), watched->run.expires - clock_.now());
        co_await watched->news.wait_past(seen, std::clamp(left / 2, Duration(std::chrono::milliseconds(500)), renew_longest));
        if (watched->is_over)
            co_return;
        seen = watched->news.version(); // before asking: what comes while the authority answers is asked about again
        auto const answer = co_await authority_.post("/v1/agent/runs/" + watched->run.id + "/renew", JsonObject());
        if (answer.is_error()) {
            log_warning("a run was not renewed", { { "run", watched->run.id }, { "error", answer.error().message } });
            if (answer.error().code == ErrorCode::not_found) {
                sessions_.forget(watched->run.id);
                co_return; // ended there; its process may go on without credentials
            }
            co_await net::delay(renew_retry);
            continue;
        }
        std::optional<Timestamp> expires;
        if (auto const leases = array_member(*answer, "leases"); leases.is_ok()) {
            for (auto const& lease : **leases) {
                auto const time = parse_rfc3339(lease.is_object() ? string_or(lease.as_object(), "expires", "") : "");
                if (time.is_ok())
                    expires = std::min(expires.value_or(*time), *time);
            }
        }
        watched->run.expires = expires.value_or(clock_.now() + 2 * renew_longest);
    }
}

void RunWatch::renew_now()
{
    ++changes_;
    for (auto const& [id, watched] : runs_)
        watched->news.notify();
}

net::Task<Result<>> RunWatch::sync()
{
    JsonArray live;
    for (auto const& [id, watched] : runs_) {
        if (!watched->is_over)
            live.emplace_back(id);
    }
    auto const answer = co_await authority_.post("/v1/agent/runs/sync", JsonObject { { "live", std::move(live) } });
    if (answer.is_error())
        co_return answer.error();
    co_return Result<>();
}

} // namespace writ::agent
