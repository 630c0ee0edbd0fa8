// SPDX-License-Identifier: Apache-2.0
//
// What every issuer of credentials holds to, tried on its real system or a faithful double of it. For tests: each implementation's runs it, and a
// twin that breaks one rule shows that the suite sees it.
#pragma once

#include "issue/credential_issuer.h"

#include <algorithm>
#include <set>

namespace writ::issue {

// The issuer's system, seen from outside.
class IssuerTarget {
public:
    virtual ~IssuerTarget() = default;
    virtual JsonObject provider() = 0;
    virtual Access granted() = 0; // what is asked for
    virtual Recipient recipient(Timestamp expires) = 0;
    // Which of all that could be tried a credential can do; must be expected() and nothing else.
    virtual std::set<std::string> probe(Credential const&) = 0;
    virtual std::set<std::string> expected() = 0;
    // When the system itself ends it.
    virtual Timestamp end_of(CredentialPlan const&, Credential const&) = 0;

    // What can be wrong with the system.
    enum class Fault {
        busy, // it says that it is its own fault
        refusing, // it says no
        silent, // it does not answer
        garbled, // it answers something else
        overlong, // it gives for longer than was asked
        wider, // it gives more than was asked
    };
    // The next `times` requests meet it. False: this system cannot be made to.
    virtual bool inject(Fault, int /*times*/) { return false; }
    virtual std::size_t requests() { return 0; } // so far, where faults can be injected
};

class IssuerConformance {
public:
    IssuerConformance(net::EventLoop& loop, CredentialIssuer& issuer, IssuerTarget& target, Clock const& clock)
        : loop_(loop)
        , issuer_(issuer)
        , target_(target)
        , clock_(clock)
    {
    }

    // What does not hold; empty: the issuer conforms.
    std::vector<std::string> run()
    {
        check_plans();
        check_credential();
        check_faults();
        if (auto* const revocable = issuer_.revocable())
            check_revocation(*revocable);
        else
            check_end_by_itself();
        return problems_;
    }

private:
    static constexpr Duration lifetime = std::chrono::minutes(20);
    // Clocks of two systems, and rounding to seconds.
    static constexpr Duration tolerance = std::chrono::seconds(2);

    void expect(bool holds, std::string problem)
    {
        if (!holds)
            problems_.push_back(std::move(problem));
    }

    Result<CredentialPlan> plan()
    {
        std::vector<Access> const accesses { target_.granted() };
        return issuer_.plan(target_.provider(), accesses);
    }

    Result<Credential> create(CredentialPlan const& plan, Duration for_how_long = lifetime)
    {
        return loop_.run(issuer_.create(plan, target_.recipient(clock_.now() + for_how_long)));
    }

    void check_plans()
    {
        auto const planned = plan();
        expect(planned.is_ok(), "what is granted cannot be planned");
        expect(planned.is_error() || (!planned->kind.empty() && !planned->scope.empty()), "a plan says neither kind nor scope");
        expect(planned.is_error() || parse_json_object(planned->target).is_ok(), "a plan's target is no JSON");
        auto unknown = target_.granted();
        unknown.action = "administer";
        std::vector<Access> const accesses { unknown };
        auto const refused = issuer_.plan(target_.provider(), accesses);
        expect(refused.is_error() && refused.error().code == ErrorCode::permission_denied, "an action that the system does not know is planned");
        expect(issuer_.plan(target_.provider(), {}).is_error(), "a credential for nothing is planned");
    }

    void check_credential()
    {
        auto const first_plan = plan();
        auto const second_plan = plan();
        if (first_plan.is_error() || second_plan.is_error())
            return;
        auto const first = create(*first_plan);
        auto const second = create(*second_plan);
        expect(first.is_ok() && second.is_ok(), "no credential: " + (first.is_error() ? first.error().message : second.is_error() ? second.error().message : ""));
        if (first.is_error() || second.is_error())
            return;
        auto const id_of = [](CredentialPlan const& plan, Credential const& credential) { return credential.id.empty() ? plan.name : credential.id; };
        expect(!id_of(*first_plan, *first).empty() && id_of(*first_plan, *first) != id_of(*second_plan, *second), "two credentials have one name, or none");
        expect(target_.probe(*first) == target_.expected(), "a credential does not do what was granted, or more than that");
        auto const latest = clock_.now() + lifetime + tolerance;
        expect(target_.end_of(*first_plan, *first) <= latest, "a credential lives longer than was asked");
        expect(!first->expires || *first->expires <= latest, "a credential says that it lives longer than was asked");
        check_secrets(*first_plan, *first);
    }

    // The error's code; nothing: there was a credential.
    std::optional<ErrorCode> outcome_with(IssuerTarget::Fault fault, int times)
    {
        auto const planned = plan();
        if (planned.is_error() || !target_.inject(fault, times))
            return std::nullopt;
        auto const created = create(*planned);
        target_.inject(fault, 0);
        return created.is_error() ? std::optional(created.error().code) : std::nullopt;
    }

    void check_faults()
    {
        using enum IssuerTarget::Fault;
        constexpr int always = 1000;
        constexpr std::size_t patience = 10; // LIMIT: requests for one credential; who is asked for more is being attacked
        if (!target_.inject(busy, 0))
            return;
        expect(!outcome_with(busy, 1), "one answer of a busy system is taken for its last");
        auto before = target_.requests();
        expect(outcome_with(busy, always) == ErrorCode::unavailable, "a system that is busy is not unavailable");
        expect(target_.requests() - before > 1 && target_.requests() - before <= patience, "a busy system is not asked again, or without end");
        before = target_.requests();
        expect(outcome_with(refusing, always) == ErrorCode::permission_denied, "what a system refuses is not denied");
        expect(target_.requests() - before == 1, "a system that refuses is asked again");
        check_bad_answers();
    }

    void check_bad_answers()
    {
        using enum IssuerTarget::Fault;
        constexpr int always = 1000;
        for (auto const& [fault, problem] : { std::pair(silent, "a silent system is not unavailable"), std::pair(garbled, "an answer that says nothing is not unavailable") }) {
            if (target_.inject(fault, 0))
                expect(outcome_with(fault, always) == ErrorCode::unavailable, problem);
        }
        for (auto const& [fault, problem] : { std::pair(overlong, "a credential that lives longer than was asked is handed on"),
                 std::pair(wider, "a credential that does more than was asked is handed on") }) {
            if (target_.inject(fault, 0))
                expect(outcome_with(fault, always).has_value(), problem);
        }
    }

    // Neither a plan, which is kept and shown, nor a variable holds what is secret.
    void check_secrets(CredentialPlan const& plan, Credential const& credential)
    {
        std::vector<std::string> secrets;
        for (auto const& file : credential.files)
            secrets.push_back(file.content.reveal());
        if (!credential.document.is_empty())
            secrets.push_back(credential.document.reveal());
        for (auto const& variable : credential.variables)
            secrets.push_back(variable.value.reveal());
        expect(!secrets.empty(), "a credential has no secret in it");
        for (auto const& [name, value] : credential.environment) {
            auto const is_part = [&value](std::string const& secret) { return value.size() >= 24 && secret.find(value) != std::string::npos; };
            expect(std::none_of(secrets.begin(), secrets.end(), is_part) || value == plan.name, "variable " + name + " holds a secret");
        }
    }

    void check_revocation(RevocableIssuer& revocable)
    {
        auto const planned = plan();
        auto const never_made = plan();
        if (planned.is_error() || never_made.is_error())
            return;
        auto const credential = create(*planned);
        if (credential.is_error())
            return;
        auto const later = clock_.now() + 2 * lifetime;
        expect(loop_.run(revocable.prolong(planned->target, planned->name, later)).is_ok(), "a credential is not prolonged");
        expect(target_.end_of(*planned, *credential) > clock_.now() + lifetime + tolerance, "a prolonged credential ends as before");
        expect(loop_.run(revocable.revoke(planned->target, planned->name)).is_ok(), "a credential is not revoked");
        expect(target_.probe(*credential).empty(), "a revoked credential can still do something");
        expect(loop_.run(revocable.revoke(planned->target, planned->name)).is_ok(), "revoking twice fails");
        expect(loop_.run(revocable.revoke(never_made->target, never_made->name)).is_ok(), "revoking what was never made fails");
    }

    void check_withdrawal(Credential const& credential)
    {
        auto const withdraw = [&] { return loop_.run(issuer_.withdraw(credential.withdrawal.duplicate(), target_.recipient(clock_.now() + lifetime))); };
        expect(withdraw().is_ok(), "a credential is not withdrawn");
        expect(target_.probe(credential).empty(), "a withdrawn credential can still do something");
        expect(withdraw().is_ok(), "withdrawing twice fails");
    }

    // What nobody can take back says when it ends, and is not given for so short a time that its system would give it for longer.
    void check_end_by_itself()
    {
        auto const planned = plan();
        if (planned.is_error())
            return;
        auto const credential = create(*planned);
        expect(credential.is_ok() && credential->expires, "a credential that cannot be revoked does not say when it ends");
        if (credential.is_ok() && !credential->withdrawal.is_empty())
            check_withdrawal(*credential);
        auto const brief = create(*planned, std::chrono::seconds(5));
        expect(brief.is_error() || target_.end_of(*planned, *brief) <= clock_.now() + std::chrono::seconds(5) + tolerance,
            "a credential for five seconds lives longer");
    }

    net::EventLoop& loop_;
    CredentialIssuer& issuer_;
    IssuerTarget& target_;
    Clock const& clock_;
    std::vector<std::string> problems_;
};

} // namespace writ::issue
