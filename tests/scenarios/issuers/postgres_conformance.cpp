// SPDX-License-Identifier: Apache-2.0
//
// The issuer of PostgreSQL roles through the suite of all issuers, on a real server: postgres_conformance HOST PORT PASSWORD_FILE. Logs in as the roles it is
// given, over connections of its own.
#include "base/durable_file.h"
#include "base/random.h"
#include "issue/issuer_conformance.h"
#include "issue/postgres_role/connection.h"
#include "issue/postgres_role/postgres_role.h"
#include "net/task.h"

#include <cstdio>
#include <cstdlib>

using namespace writ;
using namespace writ::issue;

namespace {

class PostgresTarget final : public IssuerTarget {
public:
    // `rows`: whether a part of the table is asked for, not all of it.
    PostgresTarget(net::EventLoop& loop, std::string host, std::uint16_t port, std::string password_file, bool rows)
        : loop_(loop)
        , rows_(rows)
        , host_(std::move(host))
        , port_(port)
        , password_file_(std::move(password_file))
    {
    }

    JsonObject provider() override
    {
        return { { "host", host_ }, { "port", port_ }, { "database", "oncology" }, { "user", "writ_admin" }, { "password_file", password_file_ } };
    }
    Access granted() override
    {
        JsonObject resource { { "schema", "public" }, { "table", "biopsies" } };
        if (rows_)
            resource["rows"] = JsonArray { JsonObject { { "column", "id" }, { "before", "3" } } };
        return { "read", std::move(resource) };
    }
    Recipient recipient(Timestamp expires) override { return { "spiffe://oncology.example/train", "run-aaaaaaaaaaaaaaaaaaaa", "train", expires }; }

    std::set<std::string> probe(Credential const& credential) override
    {
        std::set<std::string> can;
        // Each that is refused is undone by itself, and none that is allowed stays.
        for (auto const* statement : { "SELECT count(*) FROM public.biopsies", part, "DELETE FROM public.biopsies WHERE false", "SELECT count(*) FROM public.patients",
                 "CREATE TABLE public.mine (a integer)", "CREATE ROLE another" }) {
            auto answer = loop_.run(ask(credential, "BEGIN; " + std::string(statement)));
            if (answer.is_ok())
                can.insert(statement);
        }
        return can;
    }
    std::set<std::string> expected() override { return { rows_ ? part : "SELECT count(*) FROM public.biopsies" }; }

    Timestamp end_of(CredentialPlan const& plan, Credential const&) override
    {
        auto const rows = loop_.run(ask_as_admin("SELECT floor(extract(epoch FROM rolvaliduntil))::bigint FROM pg_roles WHERE rolname = " + quote_literal(plan.name)));
        return rows.is_ok() && !rows->empty() ? from_unix_seconds(std::atoll(rows->front().front().c_str())) : Timestamp();
    }

private:
    // Division by zero where there are more rows than it may see, or fewer. The connection's search path is none, so a whole table is not found by this name.
    static constexpr char const* part = "SET LOCAL search_path TO \"$user\"; SELECT 1 / (count(*) = 3)::integer FROM biopsies";
    using Rows = std::vector<PostgresConnection::Row>;

    // Fields of a password file have no `:` here.
    static SecretText password_of(Credential const& credential)
    {
        auto const& line = credential.files.at(0).content.reveal();
        auto const colon = line.rfind(':');
        return SecretText(line.substr(colon + 1, line.size() - colon - 2));
    }

    net::Task<Result<Rows>> ask_as(PostgresLogin login, std::string sql)
    {
        auto connected = co_await PostgresConnection::connect(std::move(login));
        auto const connection = CO_TRY(connected);
        co_return co_await connection->query(std::move(sql));
    }

    net::Task<Result<Rows>> ask(Credential const& credential, std::string sql)
    {
        return ask_as({ host_, port_, "oncology", credential.environment.at("PGUSER"), password_of(credential) }, std::move(sql));
    }

    net::Task<Result<Rows>> ask_as_admin(std::string sql)
    {
        auto const password = read_file(password_file_, 4096).value();
        return ask_as({ host_, port_, "oncology", "writ_admin", SecretText(std::string(as_text(password))) }, std::move(sql));
    }

    net::EventLoop& loop_;
    bool rows_;
    std::string host_;
    std::uint16_t port_;
    std::string password_file_;
};

// Breaks one rule, to show that the suite sees it on this system too.
class Tampering final : public RevocableIssuer {
public:
    enum class Crime { writes, lives_longer, stays };
    Tampering(RevocableIssuer& honest, Crime crime)
        : honest_(honest)
        , crime_(crime)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        std::vector<Access> changed(accesses.begin(), accesses.end());
        if (crime_ == Crime::writes && !changed.empty())
            changed.front().action = "write";
        return honest_.plan(provider, changed);
    }
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        if (crime_ == Crime::lives_longer)
            recipient.expires += std::chrono::hours(1);
        return honest_.create(std::move(plan), std::move(recipient));
    }
    net::Task<Result<>> prolong(std::string target, std::string name, Timestamp expires) override
    {
        return honest_.prolong(std::move(target), std::move(name), expires);
    }
    net::Task<Result<>> revoke(std::string target, std::string name) override
    {
        if (crime_ == Crime::stays)
            co_return Result<>();
        co_return co_await honest_.revoke(std::move(target), std::move(name));
    }

private:
    RevocableIssuer& honest_;
    Crime crime_;
};

} // namespace

int main(int count, char** arguments)
{
    if (count != 4)
        return 2;
    net::EventLoop loop;
    SystemClock clock;
    SystemRandom random;
    auto const issuer = create_postgres_role_issuer(random);
    int wrong = 0;
    for (auto const rows : { false, true }) {
        PostgresTarget target(loop, arguments[1], static_cast<std::uint16_t>(std::atoi(arguments[2])), arguments[3], rows);
        for (auto const& problem : IssuerConformance(loop, *issuer, target, clock).run()) {
            std::printf("does not hold%s: %s\n", rows ? ", of rows" : "", problem.c_str());
            ++wrong;
        }
        for (auto const crime : { Tampering::Crime::writes, Tampering::Crime::lives_longer, Tampering::Crime::stays }) {
            Tampering twin(*issuer->revocable(), crime);
            if (IssuerConformance(loop, twin, target, clock).run().empty()) {
                std::printf("not seen: crime %d\n", static_cast<int>(crime));
                ++wrong;
            }
        }
    }
    return wrong == 0 ? 0 : 1;
}
