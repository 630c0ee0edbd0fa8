// SPDX-License-Identifier: Apache-2.0
//
// `writ policy …` as it is typed.
#include "cli/commands.h"

#include "base/durable_file.h"
#include "crypto/key.h"
#include "tlog/log.h"

#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writ::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string const tree = WRIT_TREE;

class PolicyCommand : public testing::Test {
protected:
    PolicyCommand()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-policy-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    ~PolicyCommand() override { std::filesystem::remove_all(folder_); }

    Path write(std::string const& name, std::string const& text) const
    {
        std::filesystem::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
        return folder_ / name;
    }

    // Runs `writ WORDS…`: exit code, and what it printed in out_ and error_.
    int run(std::vector<std::string> words)
    {
        CLI::App app;
        Session session;
        add_policy_command(app, session);
        std::reverse(words.begin(), words.end());
        app.parse(words);
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        auto const code = session.action();
        out_ = testing::internal::GetCapturedStdout();
        error_ = testing::internal::GetCapturedStderr();
        return code;
    }
    JsonObject json() const { return parse_json_object(out_).value(); }

    Path folder_;
    std::string out_, error_;
};

char const* const gate = R"(@id("reads")
permit (principal in Team::"fraud", action == Action::"read", resource is Dataset)
when { resource.purpose.contains(context.purpose) };
)";

// ---- check

TEST_F(PolicyCommand, check_names_the_place_what_was_found_and_what_may_have_been_meant)
{
    auto const file = write("a.cedar", "permit (principal, action, resource is Datset)\nwhen { context.purpos == \"x\" };\n");
    EXPECT_EQ(run({ "policy", "check", file.string() }), 1);
    EXPECT_THAT(error_, HasSubstr(file.string() + ":1:28: there is no entity type `Datset`; did you mean `Dataset`?"));
    EXPECT_EQ(run({ "policy", "check", "--json", file.string() }), 1);
    EXPECT_EQ(json().at("problems").as_array().at(0).at("line").as_int64(), 1);
}

TEST_F(PolicyCommand, check_permissive_lets_mixed_types_pass_and_strict_does_not)
{
    auto const file = write("a.cedar", "permit (principal, action == Action::\"read\", resource is Dataset) when { principal == resource || [1, \"a\"].contains(1) };\n");
    EXPECT_EQ(run({ "policy", "check", file.string() }), 1);
    EXPECT_EQ(run({ "policy", "check", "--permissive", file.string() }), 1);
    auto const mixed = write("b.cedar",
        "permit (principal, action == Action::\"read\", resource is Dataset) when { (if context.purpose == \"x\" then principal else resource) == principal };\n");
    EXPECT_EQ(run({ "policy", "check", mixed.string() }), 1);
    EXPECT_EQ(run({ "policy", "check", "--permissive", mixed.string() }), 0) << error_;
}

// ---- convert

TEST_F(PolicyCommand, convert_takes_policies_templates_and_their_names_to_json_and_back)
{
    auto const file = write("a.cedar", std::string(gate) + "permit (principal == ?principal, action, resource);\nforbid (principal, action, resource);\n");
    ASSERT_EQ(run({ "policy", "convert", file.string() }), 0);
    auto const once = out_;
    EXPECT_EQ(json().at("templates").as_object().size(), 1U);
    auto const back = write("a.json", once);
    ASSERT_EQ(run({ "policy", "convert", back.string() }), 0) << error_;
    ASSERT_EQ(run({ "policy", "convert", write("b.cedar", out_).string() }), 0) << error_;
    EXPECT_EQ(json().at("staticPolicies").as_object().size(), 2U);
    EXPECT_TRUE(json().at("staticPolicies").as_object().contains("reads"));
}

TEST_F(PolicyCommand, convert_takes_schemas_to_json_and_back)
{
    ASSERT_EQ(run({ "policy", "convert", tree + "/policies/writ.cedarschema" }), 0) << error_;
    auto const once = out_;
    ASSERT_EQ(run({ "policy", "convert", write("s.cedarschema.json", once).string() }), 0) << error_;
    EXPECT_THAT(out_, HasSubstr("entity ModelVersion in [Model] = {"));
    ASSERT_EQ(run({ "policy", "convert", write("s.cedarschema", out_).string() }), 0) << error_;
    EXPECT_EQ(out_, once);
}

TEST_F(PolicyCommand, convert_writes_entities_so_that_they_need_no_schema)
{
    auto const file = write("e.json", R"([{"uid": {"type": "Host", "id": "h"}, "attrs": {"addr": "10.0.0.1", "on": {"type": "Host", "id": "g"}}}])");
    auto const schema = write("h.cedarschema", "entity Host { addr: ipaddr, on: Host };");
    ASSERT_EQ(run({ "policy", "convert", file.string(), "--schema", schema.string() }), 0) << error_;
    EXPECT_EQ(out_,
        R"([{"uid":{"type":"Host","id":"h"},"attrs":{"addr":{"__extn":{"fn":"ip","arg":"10.0.0.1"}},"on":{"__entity":{"type":"Host","id":"g"}}},"parents":[]}])"
        "\n");
}

TEST_F(PolicyCommand, convert_refuses_what_is_neither)
{
    EXPECT_EQ(run({ "policy", "convert", write("x.json", R"({"effect": "permit", "principle": {}})").string() }), 1);
    EXPECT_THAT(error_, HasSubstr("`principle`"));
    EXPECT_EQ(run({ "policy", "convert", write("x.cedarschema", "entity").string() }), 1);
    EXPECT_THAT(error_, HasSubstr("x.cedarschema:1:"));
}

// ---- explain

TEST_F(PolicyCommand, explain_shows_what_held_of_a_permit_with_its_place_and_values)
{
    auto const folder = tree + "/policies/examples/purpose";
    std::vector<std::string> const words { "policy", "explain", folder, "--entities", folder + "/purpose.decisions.json", "--principal",
        "Workload::\"spiffe://acme.ai/fraud/trainer\"", "--action", "read", "--resource", "Dataset::\"fraud/transactions\"", "--context",
        R"({"purpose": "train"})" };
    ASSERT_EQ(run(words), 0) << error_;
    EXPECT_THAT(out_, HasSubstr("allow by declared-purposes"));
    EXPECT_THAT(out_, HasSubstr("decided by permit declared-purposes  " + folder + "/purpose.cedar:4"));
    EXPECT_THAT(out_, HasSubstr("holds  when resource.purpose.contains(context.purpose)"));
    EXPECT_THAT(out_, HasSubstr("resource.purpose is [\"evaluate\", \"train\"]"));
    auto as_json = words;
    as_json.emplace_back("--json");
    ASSERT_EQ(run(as_json), 0);
    auto const answer = json();
    auto const& policy = answer.at("determining").as_array().at(0).as_object();
    EXPECT_EQ(policy.at("line").as_int64(), 4);
    EXPECT_EQ(policy.at("parts").as_array().back().at("outcome").as_string(), "holds");
}

TEST_F(PolicyCommand, explain_shows_what_failed_and_what_was_wanted)
{
    auto const folder = tree + "/policies/examples/purpose";
    ASSERT_EQ(run({ "policy", "explain", folder, "--entities", folder + "/purpose.decisions.json", "--principal",
                  "Workload::\"spiffe://acme.ai/fraud/trainer\"", "--action", "read", "--resource", "Dataset::\"fraud/transactions\"", "--context",
                  R"({"purpose": "ads"})" }),
        0);
    EXPECT_THAT(out_, HasSubstr("came near: permit declared-purposes"));
    EXPECT_THAT(out_, HasSubstr("fails  when resource.purpose.contains(context.purpose)"));
    EXPECT_THAT(out_, HasSubstr("wanted: with \"ads\""));
}

// ---- diff

std::string record(std::string const& team, std::string const& purpose, std::string const& more = "")
{
    return R"({"type":"decision","time":"2026-11-23T20:05:41.000000Z","workload":"spiffe://acme.ai/w","workload_name":"w","team":")" + team
        + R"(","purpose":")" + purpose + R"(","action":"read","resource":{"type":"Dataset","id":"d"},"decision":"allow")" + more + "}\n";
}

char const* const dataset = R"([{"uid": {"type": "Dataset", "id": "d"}, "attrs": {"name": "d", "classification": [], "purpose": ["train"], "location": "x"}, "parents": []}])";

TEST_F(PolicyCommand, diff_of_the_same_policies_finds_nothing)
{
    auto const folder = tree + "/policies/examples";
    EXPECT_EQ(run({ "policy", "diff", folder, folder }), 0) << out_;
    EXPECT_THAT(out_, HasSubstr("requests, 0 change"));
}

TEST_F(PolicyCommand, diff_finds_rows_whose_decision_or_determining_policies_change)
{
    write("old/teams/teams.cedar", to_text(read_file(tree + "/policies/examples/teams/teams.cedar").value()));
    write("new/teams/teams.cedar", "@id(\"all\") permit (principal in Team::\"fraud\", action, resource);\n");
    write("new/teams/teams.decisions.json", to_text(read_file(tree + "/policies/examples/teams/teams.decisions.json").value()));
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "new").string() }), 1);
    EXPECT_THAT(out_, HasSubstr("teams.decisions.json: fraud reads its own"));
    EXPECT_THAT(out_, HasSubstr("- allow by own-team-reads\n"));
    EXPECT_THAT(out_, HasSubstr("+ allow by all\n"));
    EXPECT_THAT(out_, HasSubstr("- deny by none\n"));
    EXPECT_THAT(out_, Not(HasSubstr("an unknown workload")));
    EXPECT_EQ(run({ "policy", "diff", "--json", (folder_ / "old").string(), (folder_ / "new").string() }), 1);
    EXPECT_GT(json().at("tables").at("changed").as_int64(), 3);
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "new").string(), "--tables", tree + "/policies/examples/teams" }), 1);
}

TEST_F(PolicyCommand, diff_decides_recorded_requests_again_and_counts_what_it_cannot_judge)
{
    write("old/a.cedar", gate);
    write("new/a.cedar", "@id(\"reads\") permit (principal in Team::\"fraud\", action == Action::\"read\", resource is Dataset) when { context.purpose == \"sell\" };\n");
    auto const log = write("log.jsonl",
        record("fraud", "train") + record("fraud", "train") + record("ads", "train") + record("fraud", "train", R"(,"claims_cut":3)")
            + record("fraud", "train", R"(,"posture":"00")") + R"({"type":"startup","time":"2026-11-23T20:05:41.000000Z"})" + "\n");
    auto const entities = write("entities.json", dataset);
    std::vector<std::string> words { "policy", "diff", "--json", (folder_ / "old").string(), (folder_ / "new").string(), "--log", log.string() };
    // Of the resource only the name is in the record, and the old policy asks for more.
    EXPECT_EQ(run(words), 0) << error_;
    EXPECT_EQ(json().at("log").at("judged").as_int64(), 1);
    words.insert(words.end(), { "--entities", entities.string() });
    EXPECT_EQ(run(words), 1) << error_;
    auto const report = json().at("log").as_object();
    EXPECT_EQ(report.at("records").as_int64(), 6);
    EXPECT_EQ(report.at("judged").as_int64(), 3);
    EXPECT_EQ(report.at("changed").as_int64(), 2);
    ASSERT_EQ(report.at("changes").as_array().size(), 1U);
    EXPECT_EQ(report.at("changes").as_array()[0].at("count").as_int64(), 2);
    EXPECT_EQ(report.at("changes").as_array()[0].at("old").at("decision").as_string(), "allow");
    EXPECT_EQ(report.at("changes").as_array()[0].at("new").at("decision").as_string(), "deny");
    EXPECT_EQ(report.at("not_judged").as_object().size(), 3U);
}

TEST_F(PolicyCommand, diff_reads_what_audit_list_prints)
{
    write("old/a.cedar", "permit (principal in Team::\"fraud\", action, resource);\n");
    write("new/a.cedar", "forbid (principal, action, resource);\n");
    auto line = record("fraud", "train");
    line.pop_back();
    auto const log = write("list.json", R"({"records":[{"sequence":41,"record":)" + line + R"(,"hash":"x"}]})");
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "new").string(), "--log", log.string() }), 1) << error_;
    EXPECT_THAT(out_, HasSubstr("record 41"));
}

TEST_F(PolicyCommand, diff_reads_an_authoritys_log)
{
    write("old/a.cedar", "permit (principal in Team::\"fraud\", action, resource);\n");
    write("new/a.cedar", "forbid (principal, action, resource);\n");
    ManualClock const clock { from_unix_seconds(1'800'000'000) };
    {
        tlog::NoteSigner signer { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
        auto const log = tlog::Log::open({ .folder = folder_ / "data" / "log", .signer = std::move(signer) }, clock).value();
        std::promise<Result<std::uint64_t>> appended;
        auto line = record("fraud", "train");
        line.pop_back();
        log->append(to_bytes(line), [&](Result<std::uint64_t> index) { appended.set_value(std::move(index)); });
        ASSERT_TRUE(appended.get_future().get().is_ok());
    }
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "new").string(), "--data", (folder_ / "data").string() }), 1) << error_;
    EXPECT_THAT(out_, HasSubstr("log: 1 records, 1 judged, 1 change"));
}

TEST_F(PolicyCommand, diff_has_its_own_code_for_trouble)
{
    write("old/a.cedar", gate);
    write("new/a.cedar", "permit (");
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "new").string() }), 2);
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "nowhere").string() }), 2);
    EXPECT_EQ(run({ "policy", "diff", (folder_ / "old").string(), (folder_ / "old").string(), "--log", write("l", "{").string() }), 2);
    EXPECT_THAT(error_, HasSubstr("line 1"));
}

} // namespace
} // namespace writ::cli
