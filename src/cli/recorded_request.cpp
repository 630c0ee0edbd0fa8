// SPDX-License-Identifier: Apache-2.0
#include "cli/recorded_request.h"

#include "audit/record.h"
#include "base/clock.h"
#include "cedar/ast.h"
#include "cedar/evaluator.h"
#include "tlog/folder_reader.h"
#include "vocabulary/facts.h"
#include "vocabulary/schema.h"

#include <algorithm>

namespace writ::cli {

namespace {

// LIMIT: an exported log; larger ones are read from the authority's folder, which is read piece by piece.
constexpr std::size_t log_file_bytes_max = 1U << 30U;
// LIMIT: one line of it: a record and what `audit list` puts around it, or a whole list of a thousand.
constexpr std::size_t line_bytes_max = 128U << 20U;
// How many entries of a log's folder are read at once: a bundle's.
constexpr std::size_t entries_at_once = 256;

// The SHA-256 of `{}`: what a record says of a posture of which nothing was measured.
constexpr std::string_view empty_posture = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

cedar::Entity workload_of(audit::Record const& record)
{
    cedar::Record tags;
    for (auto const& claim : record.claims)
        tags.insert_or_assign(claim.name, cedar::Value::set_of(claim.values));
    return vocabulary::workload_entity(
        { .id = record.workload, .name = record.workload_name, .pipeline = record.pipeline, .team = record.team }, std::move(tags));
}

// What was decided on: of an older record, which has no context, what the authority always knew.
Result<cedar::Record> context_of(audit::Record const& record, cedar::EntityUid const& action)
{
    cedar::Record context;
    if (!record.context.empty())
        context = TRY(cedar::parse_context(TRY(parse_json(record.context)), action, vocabulary::schema()).in("context"));
    if (!context.contains("posture"))
        context.emplace("posture", cedar::Value::record({}));
    vocabulary::set_circumstances(context, { record.purpose, record.run, record.time });
    return context;
}

// Whether an expression looks behind the resource's name: at its attributes, tags or groups, or hands it on to where that cannot be seen.
bool looks_behind_resource(cedar::Expression const& expression)
{
    using cedar::Operator;
    auto const is_resource = [](cedar::Expression const& child) {
        return child.op == Operator::variable && child.variable == cedar::Variable::resource;
    };
    bool const knows_by_name = expression.op == Operator::equal || expression.op == Operator::not_equal
        || (expression.op == Operator::is && expression.children.size() == 1);
    if (!knows_by_name && std::any_of(expression.children.begin(), expression.children.end(), is_resource))
        return true;
    return std::any_of(expression.children.begin(), expression.children.end(), looks_behind_resource);
}

// A record, or an element of `writ audit list --json`.
Result<> visit_element(JsonObject const& object, std::uint64_t line, RecordVisitor const& visit)
{
    auto const* const inner = object.if_contains("record");
    if (inner == nullptr || !inner->is_object())
        return visit(line, object);
    auto const sequence = integer_member(object, "sequence");
    return visit(sequence.is_ok() ? static_cast<std::uint64_t>(*sequence) : line, inner->as_object());
}

Result<> visit_line(std::string_view text, std::uint64_t line, RecordVisitor const& visit)
{
    auto const object = TRY(parse_json_object(text, { .size_max = line_bytes_max }).in("line " + std::to_string(line)));
    if (!object.contains("records"))
        return visit_element(object, line, visit);
    for (auto const& element : *TRY(array_member(object, "records"))) {
        if (!element.is_object())
            return invalid_argument("line " + std::to_string(line) + ": a record must be an object");
        TRY(visit_element(element.as_object(), line, visit));
    }
    return {};
}

} // namespace

Result<RecordedRequest> recorded_request(JsonObject const& json)
{
    if (string_or(json, "type", "") != "decision")
        return invalid_argument("no decision");
    if (json.contains("claims_cut"))
        return invalid_argument("claims were left out of the record");
    auto const record = TRY(audit::parse_record(to_text(json)));
    if (record.workload.empty())
        return invalid_argument("the record names no workload");
    if (record.action.empty() || !record.resource)
        return invalid_argument("the record names no action or no resource");
    if (!record.context_cut.empty())
        return invalid_argument("the context was too long to be recorded");
    if (!record.redacted.empty())
        return invalid_argument("values were recorded as digests");
    if (record.context.empty() && !record.posture.empty() && record.posture != empty_posture)
        return invalid_argument("the posture is only a digest in the record");
    cedar::EntityUid const action { "Action", record.action };
    if (vocabulary::schema().action(action) == nullptr)
        return invalid_argument("the schema has no such action any more");
    RecordedRequest made { { { "Workload", record.workload }, action, { record.resource->type, record.resource->id }, {} }, workload_of(record) };
    made.request.context = TRY(context_of(record, action));
    return made;
}

bool needs_resource(cedar::Policy const& policy, cedar::Request const& request, cedar::EntityStore const& entities)
{
    using Kind = cedar::ScopeConstraint::Kind;
    cedar::Evaluator const evaluator(request, entities);
    if (!evaluator.matches(policy.principal, request.principal) || !evaluator.matches(policy.action, request.action))
        return false;
    auto const& scope = policy.resource;
    bool const is_in_itself = evaluator.matches(scope, request.resource);
    bool const asks_for_groups = scope.kind == Kind::in || (scope.kind == Kind::is_in && scope.type == request.resource.type);
    if (!is_in_itself)
        return asks_for_groups;
    return std::any_of(policy.conditions.begin(), policy.conditions.end(),
        [](cedar::Condition const& condition) { return looks_behind_resource(condition.body); });
}

Result<> read_records(std::string_view text, RecordVisitor const& visit)
{
    for (std::uint64_t line = 1; !text.empty(); ++line) {
        auto const one = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        if (one.find_first_not_of(" \t\r") != std::string_view::npos)
            TRY(visit_line(one, line, visit));
    }
    return {};
}

Result<> read_record_file(Path const& path, RecordVisitor const& visit)
{
    auto const bytes = TRY(read_regular_file(path, log_file_bytes_max));
    return read_records(as_text(bytes), visit);
}

Result<> read_record_folder(Path const& data, RecordVisitor const& visit)
{
    auto const folder = data / "log";
    std::error_code missing;
    if (!std::filesystem::is_directory(folder, missing))
        return not_found("no log at `" + folder.string() + "`");
    auto const reader = TRY(tlog::FolderReader::open(folder));
    for (std::uint64_t sequence = 0; sequence < reader.size();) {
        auto const entries = TRY(reader.read_range(sequence, entries_at_once));
        for (auto const& entry : entries) {
            auto const place = "entry " + std::to_string(sequence);
            TRY(visit(sequence++, TRY(parse_json_object(as_text(entry), { .size_max = limits::record_bytes_max }).in(place))));
        }
        if (entries.empty())
            return corruption("the log ends before entry " + std::to_string(sequence));
    }
    return {};
}

} // namespace writ::cli
