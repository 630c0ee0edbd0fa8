// SPDX-License-Identifier: Apache-2.0
#include "vocabulary/facts.h"

namespace writ::vocabulary {

using cedar::Value;

cedar::Entity workload_entity(WorkloadFacts const& facts, cedar::Record tags)
{
    cedar::Entity entity;
    entity.uid = { facts.type, facts.id };
    entity.attributes = { { "name", Value(facts.name) }, { "pipeline", Value(facts.pipeline) }, { "team", Value(facts.team) } };
    if (!facts.pipeline.empty())
        entity.parents.push_back({ "Pipeline", facts.pipeline });
    if (!facts.team.empty())
        entity.parents.push_back({ "Team", facts.team });
    entity.tags = std::move(tags);
    return entity;
}

cedar::Record posture_of(Measured const& measured)
{
    cedar::Record posture;
    if (!measured.executable_digest.empty())
        posture.emplace("executable_digest", measured.executable_digest);
    if (!measured.image_digest.empty())
        posture.emplace("image_digest", measured.image_digest);
    if (!measured.node.empty())
        posture.emplace("node", measured.node);
    if (auto const address = cedar::parse_ip_address(measured.address); address.is_ok())
        posture.emplace("address", *address);
    if (measured.attested)
        posture.emplace("attested", time_value(*measured.attested));
    return posture;
}

cedar::Record context_of(Circumstances const& circumstances, Measured const& measured, cedar::Record sent)
{
    auto context = std::move(sent);
    context.erase("approver");
    context.insert_or_assign("posture", Value::record(posture_of(measured)));
    set_circumstances(context, circumstances);
    return context;
}

void set_circumstances(cedar::Record& context, Circumstances const& circumstances)
{
    context.insert_or_assign("purpose", Value(circumstances.purpose));
    context.insert_or_assign("run", Value(circumstances.run));
    context.insert_or_assign("time", time_value(circumstances.time));
}

Value time_value(Timestamp time)
{
    return Value(cedar::Datetime { std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count() });
}

} // namespace writ::vocabulary
