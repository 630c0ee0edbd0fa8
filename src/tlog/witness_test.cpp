// SPDX-License-Identifier: Apache-2.0
#include "tlog/witness.h"

#include "tlog/log_fixture.h"

#include <thread>

namespace writ::tlog {
namespace {

auto const noon = from_unix_seconds(1'800'000'000);

NoteSigner new_signer(std::string name)
{
    return { .name = std::move(name), .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
}

// A log in memory: checkpoints and proofs of any of its sizes.
class MemoryLog {
public:
    MemoryLog(NoteSigner signer, std::string_view salt, std::uint64_t size)
        : signer_(std::move(signer))
    {
        for (std::uint64_t i = 0; i < size; ++i)
            leaves_.push_back(leaf_hash(as_bytes(std::string(salt) + std::to_string(i))));
    }
    [[nodiscard]] Hash root(std::uint64_t first, std::uint64_t end) const
    {
        TreeEdge edge;
        for (auto i = first; i < end; ++i)
            edge.append(leaves_[i]);
        return edge.root();
    }
    [[nodiscard]] std::string checkpoint(std::uint64_t size) const
    {
        return sign_checkpoint({ .origin = signer_.name, .size = size, .root = root(0, size), .extension = "" }, signer_).value();
    }
    [[nodiscard]] std::vector<Hash> proof(std::uint64_t from, std::uint64_t to) const
    {
        return consistency_proof(from, to, [this](Subtree subtree) -> Result<Hash> {
            auto const width = std::uint64_t(1) << static_cast<unsigned>(subtree.level);
            return root(subtree.index * width, (subtree.index + 1) * width);
        }).value();
    }
    [[nodiscard]] std::string request(std::uint64_t from, std::uint64_t to) const
    {
        return to_text(AddCheckpoint { .old_size = from, .proof = from == 0 ? std::vector<Hash> {} : proof(from, to), .note = checkpoint(to) });
    }
    NoteSigner const& signer() const { return signer_; }

private:
    NoteSigner signer_;
    std::vector<Hash> leaves_;
};

class WitnessOfALog : public LogFolder {
protected:
    std::unique_ptr<Witness> open_witness() const
    {
        return Witness::open({ .folder = folder_ / "witness", .signer = own, .logs = { log.signer().verifier(), other.verifier() } }).value();
    }
    WitnessSigner own { .name = "witness.example/w", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    NoteSigner other = new_signer("example.org/other");
    MemoryLog log { new_signer("example.org/log"), "a", 40 };
    std::unique_ptr<Witness> witness = open_witness();
};

TEST_F(WitnessOfALog, follows_it_and_cosigns_what_is_consistent)
{
    std::array const verifiers { own.verifier() };
    for (auto const& [from, to] : std::vector<std::pair<std::uint64_t, std::uint64_t>> { { 0, 3 }, { 3, 3 }, { 3, 8 }, { 8, 40 } }) {
        auto const answer = witness->add_checkpoint(log.request(from, to), noon);
        ASSERT_EQ(answer.status, 200) << from << " " << answer.body;
        EXPECT_EQ(verify_cosignature_lines(log.checkpoint(to), answer.body, verifiers).value().at(0).time, noon);
        EXPECT_EQ(witness->latest(origin_hash("example.org/log")).body, log.checkpoint(to) + answer.body);
    }
    EXPECT_EQ(witness->latest(origin_hash("example.org/other")).status, 404);
    EXPECT_EQ(witness->latest("../../etc/passwd").status, 404);
}

TEST_F(WitnessOfALog, answers_each_fault_with_the_status_of_the_specification)
{
    ASSERT_EQ(witness->add_checkpoint(log.request(0, 5), noon).status, 200);
    auto const status = [this](std::string const& request) { return witness->add_checkpoint(request, noon).status; };
    // 400: not the form, or a size beyond the checkpoint's.
    for (auto const* const text : { "", "\n", "old\n\n", "old 05\n\n", "old -1\n\n", "old 5 \n\n", "size 5\n\n", "old 5\nAAAA\n\n", "old 5\n" })
        EXPECT_EQ(status(text), 400) << text;
    EXPECT_EQ(status("old 5\n\nno checkpoint\n"), 400);
    EXPECT_EQ(status(to_text(AddCheckpoint { .old_size = 7, .proof = {}, .note = log.checkpoint(6) })), 400);
    std::string flood = "old 5\n";
    for (int i = 0; i < 64; ++i)
        flood += to_base64(Hash {}) + "\n";
    EXPECT_EQ(status(flood + "\n" + log.checkpoint(6)), 400);
    // 404: a log that is not known. 403: a known one's checkpoint without its signature, or with a wrong one.
    MemoryLog const stranger(new_signer("example.org/stranger"), "a", 6), namesake(new_signer("example.org/log"), "a", 6);
    EXPECT_EQ(status(stranger.request(0, 6)), 404);
    EXPECT_EQ(status(namesake.request(5, 6)), 403);
    auto forged = log.request(5, 6);
    forged.replace(forged.rfind("\n6\n"), 3, "\n7\n");
    EXPECT_EQ(status(forged), 403);
    // 409 with the size that is known.
    for (auto const old_size : { 0, 3, 6 }) {
        auto const answer = witness->add_checkpoint(log.request(static_cast<std::uint64_t>(old_size), 7), noon);
        EXPECT_EQ(answer.status, 409);
        EXPECT_EQ(answer.content_type, "text/x.tlog.size");
        EXPECT_EQ(answer.body, "5\n");
    }
    // 422: not consistent.
    EXPECT_EQ(status(to_text(AddCheckpoint { .old_size = 5, .proof = {}, .note = log.checkpoint(7) })), 422);
    auto wrong = log.proof(5, 7);
    wrong.front()[0] ^= 1;
    EXPECT_EQ(status(to_text(AddCheckpoint { .old_size = 5, .proof = wrong, .note = log.checkpoint(7) })), 422);
    auto superfluous = log.proof(5, 7);
    superfluous.push_back({});
    EXPECT_EQ(status(to_text(AddCheckpoint { .old_size = 5, .proof = superfluous, .note = log.checkpoint(7) })), 422);
    EXPECT_EQ(status(to_text(AddCheckpoint { .old_size = 5, .proof = { Hash {} }, .note = log.checkpoint(5) })), 422);
    // Nothing of all that has moved it.
    EXPECT_EQ(status(log.request(5, 7)), 200);
}

TEST_F(WitnessOfALog, an_empty_tree_has_one_root_and_needs_no_proof)
{
    auto const of_empty = [this](Hash const& root, std::vector<Hash> proof) {
        auto const note = sign_checkpoint({ .origin = log.signer().name, .size = 0, .root = root, .extension = "" }, log.signer()).value();
        return witness->add_checkpoint(to_text(AddCheckpoint { .old_size = 0, .proof = std::move(proof), .note = note }), noon).status;
    };
    EXPECT_EQ(of_empty(leaf_hash({}), {}), 422);
    EXPECT_EQ(of_empty(empty_root(), { Hash {} }), 422);
    EXPECT_EQ(of_empty(empty_root(), {}), 200);
    EXPECT_EQ(witness->add_checkpoint(to_text(AddCheckpoint { .old_size = 0, .proof = { Hash {} }, .note = log.checkpoint(3) }), noon).status, 422);
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 3), noon).status, 200);
}

TEST_F(WitnessOfALog, a_fork_under_the_same_name_and_key_is_refused)
{
    ASSERT_EQ(witness->add_checkpoint(log.request(0, 5), noon).status, 200);
    MemoryLog const fork(log.signer(), "b", 12);
    EXPECT_EQ(witness->add_checkpoint(fork.request(5, 5), noon).status, 422);
    EXPECT_EQ(witness->add_checkpoint(fork.request(5, 12), noon).status, 422);
    EXPECT_EQ(witness->add_checkpoint(fork.request(0, 12), noon).status, 409);
    EXPECT_EQ(witness->add_checkpoint(log.request(5, 12), noon).status, 200);
}

TEST_F(WitnessOfALog, remembers_after_a_restart_and_refuses_what_it_did_not_write)
{
    ASSERT_EQ(witness->add_checkpoint(log.request(0, 5), noon).status, 200);
    EXPECT_EQ(Witness::open({ .folder = folder_ / "witness", .signer = own, .logs = {} }).error().code, ErrorCode::conflict);
    witness.reset();
    write_file(folder_ / "witness" / "abc.tmp.17", as_bytes("half"));
    witness = open_witness();
    EXPECT_FALSE(std::filesystem::exists(folder_ / "witness" / "abc.tmp.17"));
    EXPECT_EQ(witness->add_checkpoint(log.request(0, 9), noon).status, 409);
    ASSERT_EQ(witness->add_checkpoint(log.request(5, 9), noon).status, 200);
    witness.reset();

    auto const file = folder_ / "witness" / origin_hash("example.org/log");
    auto const bytes = read_file(file).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] ^= 1;
        write_file(file, changed);
        auto const opened = Witness::open({ .folder = folder_ / "witness", .signer = own, .logs = { log.signer().verifier() } });
        EXPECT_TRUE(opened.is_error()) << i;
    }
    write_file(file, {});
    EXPECT_TRUE(Witness::open({ .folder = folder_ / "witness", .signer = own, .logs = { log.signer().verifier() } }).is_error());
}

TEST_F(WitnessOfALog, what_could_not_be_kept_is_not_cosigned)
{
    ASSERT_EQ(witness->add_checkpoint(log.request(0, 5), noon).status, 200);
    std::filesystem::remove_all(folder_ / "witness");
    auto const answer = witness->add_checkpoint(log.request(5, 9), noon);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body.find("\xE2\x80\x94"), std::string::npos);
    std::filesystem::create_directories(folder_ / "witness");
    EXPECT_EQ(witness->add_checkpoint(log.request(5, 7), noon).status, 200);
}

// Whatever the order in which they come, what is cosigned only grows.
TEST_F(WitnessOfALog, is_monotone_when_many_ask_at_once)
{
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::vector<std::uint64_t> cosigned;
    std::uint64_t known = 0; // as a client learns it
    for (int thread = 0; thread < 8; ++thread)
        threads.emplace_back([&, thread] {
            for (auto size = std::uint64_t(thread) + 1; size <= 40; size += 3) {
                std::uint64_t from = 0;
                {
                    std::scoped_lock const lock(mutex);
                    from = known;
                }
                if (from > size)
                    continue;
                auto const answer = witness->add_checkpoint(log.request(from, size), noon);
                std::scoped_lock const lock(mutex);
                if (answer.status == 200)
                    cosigned.push_back(size), known = std::max(known, size);
                else
                    EXPECT_EQ(answer.status, 409);
            }
        });
    for (auto& thread : threads)
        thread.join();
    EXPECT_FALSE(cosigned.empty());
    auto const latest = parse_checkpoint_without_verifying(witness->latest(origin_hash("example.org/log")).body).value();
    EXPECT_EQ(latest.size, *std::ranges::max_element(cosigned));
}

} // namespace
} // namespace writ::tlog
