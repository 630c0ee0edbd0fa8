// SPDX-License-Identifier: Apache-2.0
//
// writ policy diff: what a change to policies changes, on golden tables and on requests that an audit log recorded.
#include "cli/commands.h"
#include "cli/golden_table.h"
#include "cli/policy_files.h"
#include "cli/policy_output.h"
#include "cli/recorded_request.h"

#include "cedar/ast.h"
#include "cedar/engine.h"
#include "vocabulary/schema.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace writ::cli {

namespace {

// LIMIT: kinds of recorded requests whose decision changes that are shown one by one; all are counted.
constexpr std::size_t shown_changes_max = 1000;

// As sysexits leave it free, and as diff(1) has it.
constexpr int changes_code = 1;
constexpr int trouble_code = 2;

struct DiffOptions {
    std::string old_folder, new_folder, tables, log, data, entities;
};

struct Answer {
    bool allowed = false;
    std::vector<std::string> policies;
    bool operator==(Answer const&) const = default;
    auto operator<=>(Answer const&) const = default;
};

Answer answer_of(cedar::Decision decision)
{
    std::sort(decision.determining.begin(), decision.determining.end());
    return { decision.allowed, std::move(decision.determining) };
}

// Requests that are alike and change alike.
struct Change {
    std::string where; // table: row; or the record that came first
    std::string request;
    Answer before, after;
    std::size_t count = 1;
};

struct Report {
    std::size_t rows = 0, changed_rows = 0;
    std::size_t records = 0, judged = 0, changed_records = 0;
    std::vector<Change> rows_changed, records_changed;
    std::map<std::string, std::size_t> not_judged; // why, how many
};

std::string text_of(cedar::Request const& request)
{
    return to_string(request.principal) + " " + request.action.id + " " + to_string(request.resource);
}

// Policies that need not follow the schema of today: the old ones may be of yesterday's. A folder that is not there has none.
Result<cedar::PolicySet> read_any_policies(Path const& folder)
{
    std::error_code missing;
    if (!std::filesystem::exists(folder, missing))
        return cedar::PolicySet();
    auto const sources = read_policy_sources({ folder.string() });
    if (sources.is_error() && sources.error().code == ErrorCode::not_found)
        return cedar::PolicySet();
    if (sources.is_error())
        return sources.error();
    std::vector<cedar::SyntaxProblem> problems;
    auto policies = cedar::PolicySet::parse(*sources, problems);
    print_problems(problems);
    if (!problems.empty())
        return problem_count(problems.size());
    return policies;
}

class Differ {
public:
    explicit Differ(DiffOptions const& options)
        : options_(options)
    {
    }

    Result<Report> run()
    {
        for (auto const& folder : { options_.old_folder, options_.new_folder })
            if (std::error_code error; !std::filesystem::is_directory(folder, error))
                return not_found("no folder `" + folder + "`");
        old_ = TRY(read_any_policies(options_.old_folder));
        new_ = TRY(read_any_policies(options_.new_folder));
        TRY(compare_tables());
        if (!options_.log.empty() || !options_.data.empty())
            TRY(compare_log());
        return std::move(report_);
    }

private:
    // A table below OLD or NEW is decided on by the policies of its own folder, as `policy test` does it; one of --tables by all.
    Result<> compare_tables()
    {
        if (!options_.tables.empty()) {
            for (auto const& file : TRY(tables_below(options_.tables)))
                TRY(compare_table(file, old_, new_));
            return {};
        }
        std::set<Path> seen;
        for (auto const& root : { options_.new_folder, options_.old_folder }) {
            auto const files = tables_below(root);
            for (auto const& file : files.is_ok() ? *files : std::vector<Path>()) {
                auto const below = file.lexically_relative(root);
                if (!seen.insert(below).second)
                    continue;
                auto const before = TRY(read_any_policies(options_.old_folder / below.parent_path()));
                TRY(compare_table(file, before, TRY(read_any_policies(options_.new_folder / below.parent_path()))));
            }
        }
        return {};
    }

    Result<> compare_table(Path const& file, cedar::PolicySet const& before, cedar::PolicySet const& after)
    {
        auto const table = TRY(read_golden_table(file));
        for (auto const& row : table.decisions) {
            ++report_.rows;
            Change change { file.string() + ": " + row.name, text_of(row.request), answer_of(cedar::decide(row.request, before, table.entities)),
                answer_of(cedar::decide(row.request, after, table.entities)) };
            if (change.before == change.after)
                continue;
            ++report_.changed_rows;
            report_.rows_changed.push_back(std::move(change));
        }
        return {};
    }

    Result<> compare_log()
    {
        entities_ = TRY(read_entities(options_.entities).in("--entities"));
        for (auto& action : vocabulary::schema().action_entities())
            entities_.add(std::move(action));
        old_engine_.emplace(old_, entities_);
        new_engine_.emplace(new_, entities_);
        auto const visit = [this](std::uint64_t sequence, JsonObject const& record) -> Result<> {
            compare_record(sequence, record);
            return {};
        };
        if (!options_.log.empty())
            TRY(read_record_file(options_.log, visit).in(options_.log));
        if (!options_.data.empty())
            TRY(read_record_folder(options_.data, visit));
        for (auto& [key, change] : kinds_)
            report_.records_changed.push_back(std::move(change));
        std::stable_sort(report_.records_changed.begin(), report_.records_changed.end(),
            [](Change const& a, Change const& b) { return a.count > b.count; });
        return {};
    }

    void compare_record(std::uint64_t sequence, JsonObject const& json)
    {
        ++report_.records;
        auto const recorded = recorded_request(json);
        if (recorded.is_error()) {
            ++report_.not_judged[recorded.error().message];
            return;
        }
        cedar::EntityStore front(&entities_);
        front.add(recorded->workload);
        auto const& request = recorded->request;
        if (entities_.find(request.resource) == nullptr && (is_needed(old_, request, front) || is_needed(new_, request, front))) {
            ++report_.not_judged["what the resource is like is not known: --entities has no `" + to_string(request.resource) + "`"];
            return;
        }
        ++report_.judged;
        auto before = answer_of(old_engine_->decide(request, &front));
        auto after = answer_of(new_engine_->decide(request, &front));
        if (before != after)
            add_change(sequence, text_of(request), std::move(before), std::move(after));
    }

    static bool is_needed(cedar::PolicySet const& policies, cedar::Request const& request, cedar::EntityStore const& entities)
    {
        auto const& all = policies.policies();
        return std::any_of(all.begin(), all.end(), [&](auto const& policy) { return needs_resource(*policy, request, entities); });
    }

    void add_change(std::uint64_t sequence, std::string request, Answer before, Answer after)
    {
        ++report_.changed_records;
        auto key = std::tuple(request, before, after);
        if (auto const known = kinds_.find(key); known != kinds_.end())
            ++known->second.count;
        else if (kinds_.size() < shown_changes_max)
            kinds_.emplace(std::move(key), Change { "record " + std::to_string(sequence), std::move(request), std::move(before), std::move(after) });
    }

    DiffOptions const& options_;
    cedar::PolicySet old_, new_;
    cedar::EntityStore entities_;
    std::optional<cedar::Engine> old_engine_, new_engine_;
    std::map<std::tuple<std::string, Answer, Answer>, Change> kinds_;
    Report report_;
};

std::string text_of(Answer const& answer) { return decision_text(answer.allowed) + " by " + list_of(answer.policies); }

void print(std::vector<Change> const& changes)
{
    for (auto const& change : changes) {
        print_line(printable(change.where) + (change.count > 1 ? ", and " + std::to_string(change.count - 1) + " more like it" : ""));
        print_line("    " + printable(change.request));
        print_line("    " + paint(Colour::red, "- " + text_of(change.before)));
        print_line("    " + paint(Colour::green, "+ " + text_of(change.after)));
    }
}

void print(Report const& report, bool has_log)
{
    print(report.rows_changed);
    print(report.records_changed);
    print_line("tables: " + std::to_string(report.rows) + " requests, " + std::to_string(report.changed_rows) + " change");
    if (!has_log)
        return;
    print_line("log: " + std::to_string(report.records) + " records, " + std::to_string(report.judged) + " judged, "
        + std::to_string(report.changed_records) + " change");
    for (auto const& [why, count] : report.not_judged)
        print_line("    " + std::to_string(count) + " not judged: " + printable(why));
}

JsonObject to_json(Answer const& answer)
{
    return { { "decision", decision_text(answer.allowed) }, { "policies", names_json(answer.policies) } };
}

JsonArray to_json(std::vector<Change> const& changes)
{
    JsonArray array;
    for (auto const& change : changes)
        array.push_back(JsonObject { { "where", change.where }, { "request", change.request }, { "count", change.count },
            { "old", to_json(change.before) }, { "new", to_json(change.after) } });
    return array;
}

JsonObject to_json(Report const& report, bool has_log)
{
    JsonObject object { { "tables",
        JsonObject { { "requests", report.rows }, { "changed", report.changed_rows }, { "changes", to_json(report.rows_changed) } } } };
    if (!has_log)
        return object;
    JsonObject not_judged;
    for (auto const& [why, count] : report.not_judged)
        not_judged.emplace(why, count);
    object.emplace("log",
        JsonObject { { "records", report.records }, { "judged", report.judged }, { "changed", report.changed_records },
            { "changes", to_json(report.records_changed) }, { "not_judged", std::move(not_judged) } });
    return object;
}

int diff(Session const& session, DiffOptions const& options)
{
    auto const report = Differ(options).run();
    if (report.is_error()) {
        (void)fail(report.error());
        return trouble_code;
    }
    bool const has_log = !options.log.empty() || !options.data.empty();
    if (session.json)
        print_json(to_json(*report, has_log));
    else
        print(*report, has_log);
    return report->changed_rows + report->changed_records > 0 ? changes_code : 0;
}

} // namespace

void add_policy_diff_command(CLI::App& policy, Session& session)
{
    auto* comparing = policy.add_subcommand("diff", "Which decisions a change to policies changes");
    auto const options = std::make_shared<DiffOptions>();
    comparing->add_option("old", options->old_folder, "Folder with the policies as they are")->required();
    comparing->add_option("new", options->new_folder, "Folder with the policies as they will be")->required();
    comparing->add_option("--tables", options->tables, "Golden tables to decide on with all policies; otherwise those below both folders")
        ->type_name("DIR");
    comparing->add_option("--log", options->log, "Audit records to decide again: lines of JSON, or what `writ audit list --json` prints")
        ->type_name("FILE");
    comparing->add_option("--data", options->data, "An authority's data folder, whose log is decided again")->type_name("DIR");
    comparing->add_option("--entities", options->entities, "What recorded requests were about: JSON of entities, or a golden table")
        ->type_name("FILE");
    add_json_flag(*comparing, session);
    comparing->footer("A record holds the workload with its claims, the purpose and the time, but of the resource only its name: what cannot be judged "
                      "without more is counted, with the reason.\n"
                      "Exit code 0: nothing changes; 1: something does; 2: it could not be told.\n\n"
                      "Examples:\n  writ policy diff policies.deployed policies\n"
                      "  writ policy diff policies.deployed policies --data /var/lib/writ --entities resources.json");
    comparing->callback([&session, options] { session.action = [&session, options] { return diff(session, *options); }; });
}

} // namespace writ::cli
