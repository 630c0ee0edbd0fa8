// SPDX-License-Identifier: Apache-2.0
#include "tlog/retention.h"

#include "tlog/folder_reader.h"
#include "tlog/folder_tiles.h"
#include "tlog/log_fixture.h"
#include "tlog/log_folder.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::tlog {
namespace {

// Long enough that a few hundred fill a segment of the journal, which has to go before a bundle may.
constexpr std::size_t entry_bytes = 65'000;
constexpr std::uint64_t entries = 560;
constexpr std::uint64_t droppable = 256;

class Retention : public LogFolder {
protected:
    static std::string long_text(std::uint64_t index) { return std::to_string(index) + std::string(entry_bytes, 'x'); }

    // Appends them and closes the log: all that may go of the journal is gone.
    void prepare() const
    {
        auto log = open().value();
        std::promise<void> last;
        for (std::uint64_t index = 0; index < entries; ++index)
            log->append(to_bytes(long_text(index)), [&last, index](Result<std::uint64_t> const& appended) {
                ASSERT(appended.is_ok());
                if (index + 1 == entries)
                    last.set_value();
            });
        last.get_future().wait();
        log.reset();
        open().value().reset();
    }
    Path bundle(std::uint64_t index) const { return log_folder() / TileName { .level = std::nullopt, .index = index }.path(); }
    Path hashes(std::uint64_t index) const { return log_folder() / TileName { .level = 0, .index = index }.path(); }

    // Writes `bytes` there, looks, and puts back what was there.
    void expect_corrupt_with(Path const& file, std::optional<Bytes> const& bytes)
    {
        auto const good = read_file(file);
        if (bytes)
            write_file(file, *bytes);
        else
            std::filesystem::remove(file);
        EXPECT_EQ(verify().error().code, ErrorCode::corruption) << file;
        if (good.is_ok())
            write_file(file, *good);
        else
            std::filesystem::remove(file);
    }
};

// Dies at its nth step that changes something.
class KilledTiles final : public TileStore {
public:
    KilledTiles(std::unique_ptr<TileStore> plain, int* steps_left)
        : plain_(std::move(plain))
        , steps_left_(steps_left)
    {
    }
    Result<> put(std::string const& path, BytesView bytes) override { return plain_->put(path, bytes); }
    Result<> replace(std::string const& path, BytesView bytes) override
    {
        step();
        return plain_->replace(path, bytes);
    }
    Result<Bytes> get(std::string const& path, std::size_t size_max) const override { return plain_->get(path, size_max); }
    void remove(std::string const& path) override
    {
        step();
        plain_->remove(path);
    }
    Result<> settle(std::vector<std::string> const& paths) override
    {
        step();
        return plain_->settle(paths);
    }
    Result<std::vector<std::string>> find_damaged(std::vector<Expected> const& expected) const override { return plain_->find_damaged(expected); }

private:
    void step()
    {
        if (*steps_left_ > 0 && --*steps_left_ == 0)
            ::kill(::getpid(), SIGKILL);
    }
    std::unique_ptr<TileStore> plain_;
    int* steps_left_;
};

} // namespace

TEST_F(Retention, entries_go_and_the_tree_proves_what_it_proved)
{
    prepare();
    auto log = open().value();
    auto const proof = log->inclusion_proof(3, entries).value();
    EXPECT_EQ(log->drop_before(droppable - 1).value(), 0U); // no whole bundle
    EXPECT_EQ(log->drop_before(entries).value(), droppable); // the journal has the rest
    EXPECT_EQ(log->first_kept(), droppable);
    EXPECT_EQ(log->read(3).error().code, ErrorCode::not_found);
    EXPECT_NE(log->read(3).error().message.find("retention"), std::string::npos);
    EXPECT_EQ(to_text(log->read(droppable).value()), long_text(droppable));
    EXPECT_EQ(log->inclusion_proof(3, entries).value(), proof);
    EXPECT_FALSE(std::filesystem::exists(bundle(0)));
    EXPECT_TRUE(std::filesystem::exists(hashes(0)));
    EXPECT_EQ(verify().value().dropped, droppable); // while it is open

    log.reset();
    auto const report = verify().value();
    EXPECT_EQ(report.size, entries);
    EXPECT_EQ(report.dropped, droppable);
    auto const reader = FolderReader::open(log_folder()).value();
    EXPECT_EQ(reader.first_kept(), droppable);
    EXPECT_EQ(reader.read_range(0, 1).error().code, ErrorCode::not_found);
    log = open().value();
    EXPECT_EQ(log->first_kept(), droppable);
    EXPECT_EQ(log->inclusion_proof(3, entries).value(), proof);
    EXPECT_EQ(append_and_wait(*log, "more").value(), entries);
}

TEST_F(Retention, what_is_missing_beyond_it_or_altered_is_found)
{
    prepare();
    ASSERT_EQ(open().value()->drop_before(entries).value(), droppable);
    ASSERT_TRUE(verify().is_ok());
    auto altered = read_file(hashes(0)).value();
    altered[77] ^= 1U;
    expect_corrupt_with(hashes(0), altered);
    expect_corrupt_with(hashes(1), std::nullopt);
    expect_corrupt_with(bundle(droppable / tile_width), std::nullopt);
    expect_corrupt_with(log_folder() / "dropped", std::nullopt);
    for (auto const* text : { "", "entries before 257 were dropped\n", "entries before 512 were dropped\n" })
        expect_corrupt_with(log_folder() / "dropped", to_bytes(text));
    EXPECT_TRUE(verify().is_ok());
}

TEST_F(Retention, a_kill_at_any_step_leaves_a_log_that_opens_verifies_and_goes_on_dropping)
{
    prepare();
    auto const kept = folder_ / "kept";
    std::filesystem::copy(log_folder(), kept, std::filesystem::copy_options::recursive);
    int killed = 0;
    for (int step = 1;; ++step) {
        std::filesystem::remove_all(log_folder());
        std::filesystem::copy(kept, log_folder(), std::filesystem::copy_options::recursive);
        auto const child = ::fork();
        if (child == 0) {
            int steps_left = 0;
            LogSeams seams;
            seams.storage = [&steps_left](LogStorage plain) {
                plain.tiles = std::make_unique<KilledTiles>(std::move(plain.tiles), &steps_left);
                return plain;
            };
            auto log = open_log(options(), seams);
            steps_left = step;
            auto const dropped = log.is_ok() && (*log)->drop_before(entries).is_ok();
            ::_exit(dropped ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        auto const report = verify();
        ASSERT_TRUE(report.is_ok()) << "killed at step " << step << ": " << report.error().message;
        auto log = open();
        ASSERT_TRUE(log.is_ok()) << "killed at step " << step << ": " << log.error().message;
        EXPECT_EQ((*log)->drop_before(entries).value(), droppable);
        EXPECT_FALSE(std::filesystem::exists(bundle(0)));
        if (WIFEXITED(status)) {
            EXPECT_EQ(WEXITSTATUS(status), 0);
            break;
        }
        ++killed;
    }
    EXPECT_GE(killed, 4); // the number written, settled, and the bundle with what was partial of it
}

TEST(Dropped, is_one_text_for_one_number)
{
    EXPECT_EQ(parse_dropped("entries before 512 were dropped\n").value(), 512U);
    for (auto const* text : { "", "entries before 0 were dropped\n", "entries before 511 were dropped\n", "entries before 0512 were dropped\n",
             "entries before 512 were dropped", "entries before 512 were dropped\n\n", "entries before 1208925819614629174706176 were dropped\n" })
        EXPECT_EQ(parse_dropped(text).error().code, ErrorCode::corruption) << text;
}

} // namespace writ::tlog
