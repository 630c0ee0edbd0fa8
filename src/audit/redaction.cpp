// SPDX-License-Identifier: Apache-2.0
#include "audit/redaction.h"

#include "base/json.h"
#include "crypto/digest.h"

#include <set>
#include <utility>

namespace writ::audit {

namespace {

constexpr std::size_t salt_bytes = 32;

// The member that a dotted name means; names of members may have dots themselves, so the longest that is there is taken first.
JsonValue* find_member(JsonObject& object, std::string_view name)
{
    if (auto* const member = object.if_contains(name))
        return member;
    for (auto dot = name.rfind('.'); dot != std::string_view::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
        auto* const parent = object.if_contains(name.substr(0, dot));
        if (parent != nullptr && parent->is_object())
            return find_member(parent->as_object(), name.substr(dot + 1));
    }
    return nullptr;
}

// SECURITY: what posture repeats of a claim is as sensitive as the claim.
constexpr std::pair<char const*, char const*> repeated_claims[] = { { "unix.sha256", "posture.executable_digest" }, { "unix.image", "posture.image_digest" } };

std::set<std::string> sensitive_members(RedactionRules const& rules)
{
    std::set<std::string> names(rules.context.begin(), rules.context.end());
    for (auto const& [claim, member] : repeated_claims)
        if (rules.claims.contains(claim))
            names.insert(member);
    return names;
}

void redact_context(Record& record, RedactionRules const& rules, Salt const& salt)
{
    auto const names = record.context.empty() ? std::set<std::string>() : sensitive_members(rules);
    if (names.empty())
        return;
    // INVARIANT: the context is canonical JSON of ours. One that were not is not kept at all rather than kept as it is.
    auto parsed = parse_json_object(record.context, { .size_max = limits::request_body_bytes_max, .depth_max = limits::json_depth_max + 2 });
    if (parsed.is_error()) {
        record.context_cut = salt.digest_of(std::exchange(record.context, ""));
        return;
    }
    bool is_changed = false;
    for (auto const& name : names) {
        auto* const member = find_member(*parsed, name);
        if (member == nullptr)
            continue;
        *member = salt.digest_of(member->is_string() ? std::string(member->as_string()) : to_text(*member));
        record.redacted.push_back("context." + name);
        is_changed = true;
    }
    if (!is_changed)
        return;
    record.context = to_text(*parsed);
    // SECURITY: a digest of the posture with its values would let whoever has the rest try them.
    if (auto const* const posture = parsed->if_contains("posture"); posture != nullptr && !record.posture.empty())
        record.posture = to_hex(crypto::sha256(as_bytes(to_text(*posture))));
}

} // namespace

Result<Salt> Salt::read(Path const& file)
{
    SecretBytes bytes(TRY(read_file(file, 1024)));
    if (bytes.reveal().size() != salt_bytes)
        return corruption("`" + file.string() + "` is no salt of 32 bytes");
    return Salt(std::move(bytes));
}

std::size_t growth_bytes(RedactionRules const& rules)
{
    // `"hmac-sha256:…"` and, of `redacted`, `"context.NAME",`; each byte of a name may take six.
    constexpr std::size_t digest_and_marks = 128;
    std::size_t bytes = 0;
    for (auto const* const names : { &rules.context, &rules.claims })
        for (auto const& name : *names)
            bytes += digest_and_marks + 6 * name.size();
    return bytes;
}

Result<Salt> Salt::open(Path const& file, RandomSource& random)
{
    auto existing = read(file);
    if (existing.is_ok() || existing.error().code != ErrorCode::not_found)
        return existing;
    SecretBytes bytes(random.bytes(salt_bytes));
    TRY(create_file(file, bytes.reveal(), 0600));
    return Salt(std::move(bytes));
}

std::string Salt::digest() const { return to_hex(crypto::sha256(bytes_.reveal())); }

std::string Salt::digest_of(std::string_view value) const
{
    return "hmac-sha256:" + to_hex(crypto::hmac_sha256(bytes_.reveal(), as_bytes(value)));
}

void redact(Record& record, RedactionRules const& rules, Salt const& salt)
{
    redact_context(record, rules, salt);
    for (auto& claim : record.claims) {
        if (!rules.claims.contains(claim.name))
            continue;
        for (auto& value : claim.values)
            value = salt.digest_of(value);
        record.redacted.push_back("claim." + claim.name);
    }
}

} // namespace writ::audit
