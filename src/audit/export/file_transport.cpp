// SPDX-License-Identifier: Apache-2.0
//
// Lines at the end of a file, synced before they count as sent. Whoever rotates it renames it: the next batch goes to a new file.
#include "audit/export/transport.h"

#include "base/unique_fd.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::audit {

namespace {

// LIMIT: how much of the end is looked at for the last line's beginning: more than any event is long.
constexpr off_t line_bytes_max = 1 << 20;

class FileTransport final : public Transport {
public:
    explicit FileTransport(ExportSpecification const& specification)
        : path_(specification.destination.path)
        , format_(specification.format)
    {
    }

    net::Task<Result<>> send(std::vector<OutgoingEvent> const& events) override
    {
        std::string lines;
        for (auto const& event : events)
            lines += (format_ == EventFormat::otlp ? otlp_request({ event.text }) : event.text) + "\n";
        co_return append(lines).in("`" + path_ + "`");
    }

private:
    Result<> append(std::string_view lines)
    {
        TRY(open_current());
        auto const size = ::lseek(file_.get(), 0, SEEK_END);
        if (size < 0)
            return errno_error("seek", errno);
        for (auto rest = lines; !rest.empty();) {
            auto const written = ::write(file_.get(), rest.data(), rest.size());
            if (written < 0 && errno == EINTR)
                continue;
            if (written <= 0)
                return undo(size, errno);
            rest.remove_prefix(static_cast<std::size_t>(written));
        }
        if (::fdatasync(file_.get()) != 0)
            return undo(size, errno);
        return {};
    }

    // Whatever a reader has seen of it comes again, whole.
    Error undo(off_t size, int error_number)
    {
        auto error = errno_error("write", error_number);
        if (::ftruncate(file_.get(), size) != 0)
            error.message += ", and what was written of it stays";
        file_ = UniqueFd();
        return error;
    }

    // The file that has the name now.
    Result<> open_current()
    {
        struct stat named { }, held { };
        if (file_.is_open() && ::stat(path_.c_str(), &named) == 0 && ::fstat(file_.get(), &held) == 0 && named.st_ino == held.st_ino
            && named.st_dev == held.st_dev)
            return {};
        file_ = UniqueFd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
        if (!file_.is_open())
            return errno_error("open", errno);
        if (::fstat(file_.get(), &held) != 0 || !S_ISREG(held.st_mode)) {
            file_ = UniqueFd();
            return invalid_argument("is no file");
        }
        return cut_torn_line(held.st_size);
    }

    // What a crash left of a line; the whole of it is sent again.
    Result<> cut_torn_line(off_t size)
    {
        auto const begin = size > line_bytes_max ? size - line_bytes_max : 0;
        std::string end(static_cast<std::size_t>(size - begin), '\0');
        auto const read = ::pread(file_.get(), end.data(), end.size(), begin);
        if (read < 0)
            return errno_error("read", errno);
        end.resize(static_cast<std::size_t>(read));
        if (end.empty() || end.back() == '\n')
            return {};
        auto const last = end.rfind('\n');
        auto const kept = last == std::string::npos ? begin : begin + static_cast<off_t>(last) + 1;
        return ::ftruncate(file_.get(), kept) == 0 ? Result<>() : errno_error("truncate", errno);
    }

    std::string path_;
    EventFormat format_;
    UniqueFd file_;
};

} // namespace

std::unique_ptr<Transport> create_file_transport(ExportSpecification const& specification)
{
    return std::make_unique<FileTransport>(specification);
}

} // namespace writ::audit
