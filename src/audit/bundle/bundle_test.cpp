// SPDX-License-Identifier: Apache-2.0
#include "audit/bundle/bundle.h"

#include "audit/audit_log.h"
#include "audit/bundle/archive.h"
#include "crypto/digest.h"

#include <future>
#include <gtest/gtest.h>

namespace writ::audit {
namespace {

constexpr std::string_view declared = R"([{"kind":"Policies","text":"permit(principal, action, resource);"}])";

constexpr std::string_view schema = "entity Workload;\n";

std::string digest_of(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

class Bundles : public testing::Test {
protected:
    Bundles()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-bundle-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        log_ = AuditLog::open({ .folder = folder_ / "log", .signer = signer_ }, folder_ / "index.db", clock_).value();
        Record applied;
        applied.type = RecordType::administration;
        applied.declarations = RecordedDeclarations { 1, digest_of(declared), digest_of(schema) };
        Record decision;
        decision.allowed = true;
        decision.policy_version = 1;
        decision.run = "run-1";
        Record other;
        other.type = RecordType::run_end;
        for (auto const& record : { applied, decision, other })
            append(record);
        bundle_.question = { { "run", "run-1" } };
        bundle_.declarations.emplace(1, declared);
        bundle_.schemas.emplace(digest_of(schema), schema);
        add(0);
        add(1);
    }
    ~Bundles() override
    {
        log_.reset();
        std::filesystem::remove_all(folder_);
    }

    template <typename T> static Result<T> wait_for(std::function<void(Done<T>)> const& ask)
    {
        std::promise<Result<T>> promise;
        auto future = promise.get_future();
        ask([&promise](Result<T> result) { promise.set_value(std::move(result)); });
        return future.get();
    }
    void append(Record record)
    {
        record.time = clock_.now();
        ASSERT_TRUE(wait_for<std::uint64_t>([&](auto done) { log_->append(record, std::move(done)); }).is_ok());
    }
    void add(std::uint64_t sequence)
    {
        auto const proven = wait_for<ProvenRecord>([&](auto done) { log_->prove(sequence, std::move(done)); }).value();
        bundle_.records.emplace(
            sequence, BundledRecord { .text = proven.stored.text, .proof = proven.proof, .checkpoint = proven.checkpoint });
    }
    Result<BundleReport> verify(std::string const& file) const { return verify_bundle(file, signer_.verifier()); }

    ManualClock clock_ { from_unix_seconds(1'790'000'000) };
    tlog::NoteSigner signer_ { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    Path folder_;
    std::unique_ptr<AuditLog> log_;
    Bundle bundle_;
};

} // namespace

TEST_F(Bundles, one_verifies_with_the_public_key_alone_and_says_what_is_in_it)
{
    auto const report = verify(to_file(bundle_));
    ASSERT_TRUE(report.is_ok()) << report.error().message;
    EXPECT_EQ(report->records, 2U);
    EXPECT_GE(report->tree_size, 2U);
    EXPECT_EQ(report->declarations, std::vector<std::uint64_t> { 1 });
    EXPECT_EQ(report->schemas.at(digest_of(schema)), schema);
    EXPECT_FALSE(report->is_schema_unknown);
    EXPECT_EQ(report->types.at("decision"), 1U);
    EXPECT_EQ(report->question.at("run").as_string(), "run-1");
}

TEST_F(Bundles, every_single_byte_that_is_flipped_is_found)
{
    auto const good = to_file(bundle_);
    for (std::size_t place = 0; place < good.size(); ++place) {
        auto bad = good;
        bad[place] = static_cast<char>(static_cast<unsigned char>(bad[place]) ^ (1U << place % 8));
        ASSERT_EQ(verify(bad).error().code, ErrorCode::corruption) << "at " << place;
    }
    for (std::size_t size = 0; size < good.size(); size += 101)
        ASSERT_TRUE(verify(good.substr(0, size)).is_error()) << size;
    EXPECT_TRUE(verify(good + std::string(512, '\0')).is_error());
}

TEST_F(Bundles, what_is_altered_and_summed_up_again_is_found)
{
    auto record = bundle_, declarations = bundle_, number = bundle_, proof = bundle_, undeclared = bundle_, unproven = bundle_;
    record.records.at(1).text += " ";
    declarations.declarations.at(1) += " ";
    number.records.emplace(2, bundle_.records.at(1));
    proof.records.at(1).proof.pop_back();
    undeclared.declarations.clear();
    unproven.records.erase(0);
    for (auto const* altered : { &record, &declarations, &number, &proof, &undeclared, &unproven })
        EXPECT_EQ(verify(to_file(*altered)).error().code, ErrorCode::corruption);
}

TEST_F(Bundles, a_schema_that_is_not_the_one_on_record_is_found)
{
    auto altered = bundle_, renamed = bundle_, missing = bundle_, another = bundle_;
    altered.schemas.at(digest_of(schema)) += "entity Stranger;\n";
    renamed.schemas = { { digest_of("entity Stranger;\n"), "entity Stranger;\n" } };
    missing.schemas.clear();
    another.schemas.emplace(digest_of(""), "");
    for (auto const* bad : { &altered, &renamed, &missing, &another })
        EXPECT_EQ(verify(to_file(*bad)).error().code, ErrorCode::corruption);
}

TEST_F(Bundles, one_of_another_log_or_key_is_refused)
{
    auto const key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value().public_key();
    EXPECT_TRUE(verify_bundle(to_file(bundle_), tlog::NoteVerifier::of("example.org/log", key)).is_error());
    EXPECT_TRUE(verify_bundle(to_file(bundle_), tlog::NoteVerifier::of("other.org/log", signer_.verifier().key)).is_error());
}

TEST(Archive, is_read_back_and_tar_reads_it_too)
{
    std::vector<ArchivedFile> const files { { "a/b.txt", std::string(513, 'x') }, { "empty", "" } };
    EXPECT_EQ(parse_archive(to_archive(files)).value(), files);
    EXPECT_EQ(to_archive(files).substr(257, 5), "ustar");
    EXPECT_EQ(to_archive(files).size(), 512U * (1 + 2 + 1 + 2));
    EXPECT_TRUE(parse_archive(to_archive({})).value().empty());
}

TEST(Archive, names_that_lead_elsewhere_or_stand_twice_are_refused)
{
    auto const twice = to_archive({ { "a", "" }, { "a", "" } });
    EXPECT_TRUE(parse_archive(twice).is_error());
    auto outside = to_archive({ { "xx/a", "" } });
    outside.replace(0, 2, "..");
    EXPECT_TRUE(parse_archive(outside).is_error());
    EXPECT_TRUE(parse_archive("").is_error());
}

} // namespace writ::audit
