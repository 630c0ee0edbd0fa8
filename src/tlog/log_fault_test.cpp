// SPDX-License-Identifier: Apache-2.0
//
// Every write of the log fails once, in each way a disk or a service can fail: it is lost, it is kept though reported lost, there is no
// room. Afterwards, and after opening again without faults, nothing acknowledged is missing and no two checkpoints disagree.
#include "tlog/log_fixture.h"
#include "tlog/log_folder.h"
#include "tlog/memory_storage.h"

#include <atomic>
#include <cerrno>
#include <deque>
#include <map>
#include <mutex>

namespace writ::tlog {
namespace {

enum class Fault { lost, kept, full };

// Counts writes; the one whose number it is told fails. Thread-safe.
class FaultPlan {
public:
    FaultPlan(int failing, Fault fault)
        : failing_(failing)
        , fault_(fault)
    {
    }
    template <typename Write> Result<> perform(Write const& write)
    {
        if (writes_++ != failing_)
            return write();
        if (fault_ == Fault::kept)
            EXPECT_TRUE(write().is_ok());
        return errno_error("write", fault_ == Fault::full ? ENOSPC : EIO);
    }
    [[nodiscard]] int writes() const { return writes_; }

private:
    std::atomic<int> writes_ = 0;
    int const failing_;
    Fault const fault_;
};
using Plan = std::shared_ptr<FaultPlan>;

class FaultyAppender final : public Appender {
public:
    FaultyAppender(std::unique_ptr<Appender> file, Plan plan)
        : file_(std::move(file))
        , plan_(std::move(plan))
    {
    }
    Result<> append(BytesView bytes) override
    {
        if (is_refusing_)
            return unavailable("refuses");
        auto result = plan_->perform([&] { return file_->append(bytes); });
        is_refusing_ = result.is_error() && result.error().code != ErrorCode::resource_exhausted;
        return result;
    }
    [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
    [[nodiscard]] bool is_refusing() const override { return is_refusing_; }

private:
    std::unique_ptr<Appender> file_;
    Plan plan_;
    bool is_refusing_ = false;
};

class FaultyCheckpoints final : public CheckpointStore {
public:
    FaultyCheckpoints(std::unique_ptr<CheckpointStore> store, Plan plan)
        : store_(std::move(store))
        , plan_(std::move(plan))
    {
    }
    Result<std::string> load() override { return store_->load(); }
    Result<> replace(std::string_view expected, std::string_view next) override
    {
        return plan_->perform([&] { return store_->replace(expected, next); });
    }

private:
    std::unique_ptr<CheckpointStore> store_;
    Plan plan_;
};

class FaultyTiles final : public TileStore {
public:
    FaultyTiles(std::unique_ptr<TileStore> store, Plan plan)
        : store_(std::move(store))
        , plan_(std::move(plan))
    {
    }
    Result<> put(std::string const& path, BytesView bytes) override
    {
        return plan_->perform([&] { return store_->put(path, bytes); });
    }
    Result<> replace(std::string const& path, BytesView bytes) override
    {
        return plan_->perform([&] { return store_->replace(path, bytes); });
    }
    Result<Bytes> get(std::string const& path, std::size_t size_max) const override { return store_->get(path, size_max); }
    void remove(std::string const& path) override
    {
        [[maybe_unused]] auto const ignored = plan_->perform([&]() -> Result<> {
            store_->remove(path);
            return {};
        });
    }
    Result<> settle(std::vector<std::string> const& paths) override
    {
        return plan_->perform([&] { return store_->settle(paths); });
    }
    Result<std::vector<std::string>> find_damaged(std::vector<Expected> const& expected) const override
    {
        return store_->find_damaged(expected);
    }

private:
    std::unique_ptr<TileStore> store_;
    Plan plan_;
};

class LogFaults : public LogFolder {
protected:
    LogSeams seams(Plan const& plan) const
    {
        return { .open_appender = [plan](Path const& path, std::uint64_t size) -> Result<std::unique_ptr<Appender>> {
                    return std::unique_ptr<Appender>(std::make_unique<FaultyAppender>(TRY(SegmentFile::open(path, size)), plan));
                },
            .storage = [plan, disk = disk_](LogStorage plain) -> LogStorage {
                if (disk)
                    plain = { .checkpoints = std::make_unique<MemoryCheckpoints>(disk), .tiles = std::make_unique<MemoryTiles>(disk) };
                return { .checkpoints = std::make_unique<FaultyCheckpoints>(std::move(plain.checkpoints), plan),
                    .tiles = std::make_unique<FaultyTiles>(std::move(plain.tiles), plan) };
            } };
    }

    // What somebody saw of the log while it was faulty.
    struct Seen {
        std::map<std::uint64_t, std::string> acknowledged;
        std::vector<Checkpoint> checkpoints;
    };

    // Three waves of records, each signed; the log opens and closes twice.
    void live(Plan const& plan, Seen& seen) const
    {
        for (int life = 0; life < 2; ++life) {
            auto opened = open_log(options(), seams(plan));
            if (opened.is_error())
                continue; // the next life does
            auto const& log = *opened;
            for (int wave = 0; wave < 3; ++wave) {
                append_wave(*log, wave == 1 ? 200 : 3, seen);
                if (wait_until_published(*log, log->size()).is_ok())
                    seen.checkpoints.push_back(log->latest());
            }
        }
    }

    static void append_wave(Log& log, int count, Seen& seen)
    {
        struct Wave {
            std::mutex mutex;
            int unanswered;
            std::promise<void> done;
        };
        auto const wave = std::make_shared<Wave>();
        wave->unanswered = count;
        for (int i = 0; i < count; ++i) {
            auto text = "record " + std::to_string(i);
            log.append(to_bytes(text), [wave, text, &seen](Result<std::uint64_t> const& index) {
                std::scoped_lock const lock(wave->mutex);
                if (index.is_ok())
                    EXPECT_TRUE(seen.acknowledged.emplace(*index, text).second) << "an index twice";
                if (--wave->unanswered == 0)
                    wave->done.set_value();
            });
        }
        wave->done.get_future().wait();
    }

    void expect_all_kept(Seen const& seen) const
    {
        auto const log = open_log(options(), seams(std::make_shared<FaultPlan>(-1, Fault::lost))).value();
        auto const latest = log->latest();
        EXPECT_EQ(latest.size, log->size());
        for (auto const& [index, text] : seen.acknowledged)
            ASSERT_EQ(as_text(log->read(index).value()), text) << index;
        for (auto const& old : seen.checkpoints) {
            auto const proof = log->consistency_proof(old.size, latest.size);
            ASSERT_TRUE(proof.is_ok()) << old.size << " of " << latest.size;
            EXPECT_TRUE(verify_consistency(old.size, old.root, latest.size, latest.root, *proof).is_ok()) << old.size;
        }
    }

    // Each write of the story fails in each way.
    void expect_survives_every_fault()
    {
        auto const plain = std::make_shared<FaultPlan>(-1, Fault::lost);
        Seen undisturbed;
        live(plain, undisturbed);
        ASSERT_EQ(undisturbed.acknowledged.size(), 412U);
        ASSERT_GT(plain->writes(), 15);
        for (int failing = 0; failing < plain->writes(); ++failing)
            for (auto const fault : { Fault::lost, Fault::kept, Fault::full }) {
                SCOPED_TRACE("write " + std::to_string(failing) + ", fault " + std::to_string(static_cast<int>(fault)));
                std::filesystem::remove_all(log_folder());
                if (disk_)
                    disk_ = std::make_shared<MemoryDisk>();
                Seen seen;
                live(std::make_shared<FaultPlan>(failing, fault), seen);
                expect_all_kept(seen);
                if (!disk_)
                    ASSERT_TRUE(verify().is_ok()) << verify().error().message;
            }
    }

    std::shared_ptr<MemoryDisk> disk_; // null: the folder
};

TEST_F(LogFaults, of_any_write_to_the_folder_lose_nothing) { expect_survives_every_fault(); }

TEST_F(LogFaults, of_any_write_to_other_stores_lose_nothing)
{
    disk_ = std::make_shared<MemoryDisk>();
    expect_survives_every_fault();
}

// The loose store may lose all that was not settled: the journal has it.
TEST_F(LogFaults, a_loose_store_that_lost_what_was_not_settled_is_filled_again)
{
    disk_ = std::make_shared<MemoryDisk>();
    Seen seen;
    auto const plan = std::make_shared<FaultPlan>(-1, Fault::lost);
    live(plan, seen);
    disk_->lose_power();
    EXPECT_FALSE(MemoryTiles(disk_).get("tile/0/000", 1U << 20U).is_ok());
    expect_all_kept(seen);
    EXPECT_TRUE(MemoryTiles(disk_).get("tile/0/000", 1U << 20U).is_ok());
}

// Faults of the journal alone, in the order of its appends.
class JournalFaults : public LogFolder {
protected:
    enum class Next { well, lost, kept, full };
    std::unique_ptr<Log> open_with(std::deque<Next> script)
    {
        auto const shared = std::make_shared<std::deque<Next>>(std::move(script));
        LogSeams seams;
        seams.open_appender = [shared](Path const& path, std::uint64_t size) -> Result<std::unique_ptr<Appender>> {
            return std::unique_ptr<Appender>(std::make_unique<Scripted>(TRY(SegmentFile::open(path, size)), shared));
        };
        return open_log(options(), seams).value();
    }

private:
    class Scripted final : public Appender {
    public:
        Scripted(std::unique_ptr<Appender> file, std::shared_ptr<std::deque<Next>> script)
            : file_(std::move(file))
            , script_(std::move(script))
        {
        }
        Result<> append(BytesView bytes) override
        {
            if (is_refusing_)
                return unavailable("refuses");
            auto const next = script_->empty() ? Next::well : script_->front();
            if (!script_->empty())
                script_->pop_front();
            if (next == Next::well)
                return file_->append(bytes);
            if (next == Next::full)
                return errno_error("append", ENOSPC);
            is_refusing_ = true;
            if (next == Next::kept)
                EXPECT_TRUE(file_->append(bytes).is_ok());
            return errno_error("sync", EIO);
        }
        [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
        [[nodiscard]] bool is_refusing() const override { return is_refusing_; }

    private:
        std::unique_ptr<Appender> file_;
        std::shared_ptr<std::deque<Next>> script_;
        bool is_refusing_ = false;
    };
};

TEST_F(JournalFaults, a_write_that_was_lost_is_not_there_after_reopening)
{
    auto log = open_with({ Next::well, Next::lost });
    ASSERT_EQ(append_and_wait(*log, "first").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "lost").error().code, ErrorCode::unavailable);
    EXPECT_TRUE(log->is_refusing());
    EXPECT_EQ(append_and_wait(*log, "after it").error().code, ErrorCode::unavailable);
    EXPECT_EQ(log->size(), 1U);
    log.reset();
    log = open_with({});
    EXPECT_EQ(log->size(), 1U);
    EXPECT_EQ(append_and_wait(*log, "second").value(), 1U);
}

TEST_F(JournalFaults, a_write_reported_lost_but_kept_is_a_record_after_reopening)
{
    auto log = open_with({ Next::well, Next::kept });
    ASSERT_EQ(append_and_wait(*log, "first").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "kept").error().code, ErrorCode::unavailable);
    EXPECT_EQ(append_and_wait(*log, "after it").error().code, ErrorCode::unavailable);
    EXPECT_EQ(log->size(), 1U);
    log.reset();
    log = open_with({});
    EXPECT_EQ(log->size(), 2U);
    EXPECT_EQ(as_text(log->read(1).value()), "kept");
    log.reset();
    EXPECT_TRUE(verify().is_ok());
}

TEST_F(JournalFaults, a_full_disk_keeps_nothing_and_is_forgotten_when_it_has_room)
{
    auto const log = open_with({ Next::full, Next::well, Next::full, Next::full });
    EXPECT_EQ(append_and_wait(*log, "a").error().code, ErrorCode::resource_exhausted);
    EXPECT_FALSE(log->is_refusing());
    EXPECT_EQ(append_and_wait(*log, "b").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "c").error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(append_and_wait(*log, "c").error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(append_and_wait(*log, "c").value(), 1U);
    ASSERT_TRUE(wait_until_published(*log, 2).is_ok());
    EXPECT_EQ(as_text(log->read(1).value()), "c");
}

// kill -9 before anything was published, at each byte of the journal: what was acknowledged is there, published by the open, and verifies.
TEST_F(JournalFaults, opens_after_a_crash_at_any_byte_of_the_journal)
{
    open().value().reset();
    std::filesystem::copy(log_folder(), folder_ / "new", std::filesystem::copy_options::recursive);
    {
        auto const log = open().value();
        for (int i = 0; i < 4; ++i)
            ASSERT_TRUE(append_and_wait(*log, text_of(i)).is_ok());
    }
    auto const whole = read_file(log_folder() / "journal/00000000000000000000").value();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        std::filesystem::remove_all(log_folder());
        std::filesystem::copy(folder_ / "new", log_folder(), std::filesystem::copy_options::recursive);
        auto const cut = BytesView(whole).first(size);
        write_file(log_folder() / "journal/00000000000000000000", cut);
        auto const log = open();
        ASSERT_TRUE(log.is_ok()) << size << ": " << log.error().message;
        auto const kept = parse_segment(cut, 0, true).value().end;
        ASSERT_EQ((*log)->size(), kept);
        ASSERT_EQ((*log)->latest().size, kept);
        ASSERT_EQ(append_and_wait(**log, "next").value(), kept);
    }
    EXPECT_TRUE(verify().is_ok());
}

// Power loss after publication: the tiles had no sync yet. The journal writes them again.
TEST_F(JournalFaults, tiles_that_power_loss_took_are_written_again)
{
    fill(*open().value(), 600);
    std::filesystem::resize_file(log_folder() / "tile/0/001", 0);
    std::filesystem::resize_file(log_folder() / "tile/entries/000", 100);
    std::filesystem::remove_all(log_folder() / "tile/1");
    EXPECT_TRUE(verify().is_error());
    open().value().reset();
    EXPECT_TRUE(verify().is_ok()) << verify().error().message;
}

} // namespace
} // namespace writ::tlog
