// SPDX-License-Identifier: Apache-2.0
#include "authority/revocation.h"

#include "net/task.h"

#include <future>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::authority;

namespace {

// An authority's state with a log on disk and nothing else.
class LiveCredentialsTest : public testing::Test {
protected:
    LiveCredentialsTest()
        : state_ { clock_, random_, "acme.ai", "https://authority.acme.ai", {}, open_log(), folder_ / "log", {}, {}, nullptr, {}, {} }
    {
    }
    ~LiveCredentialsTest() override
    {
        state_.audit.reset();
        std::filesystem::remove_all(folder_);
    }

    std::unique_ptr<audit::AuditLog> open_log()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-live-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        tlog::NoteSigner const signer { .name = "acme.ai/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
        return audit::AuditLog::open({ .folder = folder_ / "log", .signer = signer }, folder_ / "index.db", clock_).value();
    }

    void issue(std::string id)
    {
        audit::Record record;
        record.type = audit::RecordType::issuance;
        record.time = clock_.now();
        record.workload = "spiffe://acme.ai/trainer";
        record.outcome = "ok";
        record.credential = audit::RecordedCredential { "jwt_svid", std::move(id), "", "", clock_.now() + std::chrono::hours(1) };
        std::promise<bool> is_durable;
        state_.audit->append(record, [&is_durable](Result<std::uint64_t> const& sequence) { is_durable.set_value(sequence.is_ok()); });
        EXPECT_TRUE(is_durable.get_future().get());
        clock_.advance(std::chrono::seconds(1));
    }

    Path folder_;
    ManualClock clock_ { from_unix_seconds(1'800'000'000) };
    SystemRandom random_;
    net::EventLoop loop_;
    AuthorityState state_;
};

} // namespace

TEST_F(LiveCredentialsTest, an_answer_that_was_cut_says_from_when_on_it_is_whole)
{
    for (auto const* id : { "one", "two", "three", "four" })
        issue(id);
    auto const whole = loop_.run(live_credentials(state_, {}, 5)).value();
    EXPECT_EQ(whole.found.size(), 4U);
    EXPECT_FALSE(whole.unknown_before);
    auto const cut = loop_.run(live_credentials(state_, {}, 2)).value();
    ASSERT_EQ(cut.found.size(), 2U);
    EXPECT_EQ(cut.found.back().id, "three");
    EXPECT_EQ(cut.unknown_before, from_unix_seconds(1'800'000'002));
}
