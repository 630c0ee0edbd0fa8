// SPDX-License-Identifier: Apache-2.0
#include "cli/standard_input.h"

#include <cerrno>
#include <unistd.h>

namespace writ::cli {

Result<SecretText> read_standard_input(std::size_t bytes_max)
{
    std::string text(bytes_max, '\0');
    std::size_t length = 0;
    while (length < text.size()) {
        auto const count = ::read(STDIN_FILENO, text.data() + length, text.size() - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno_error("read standard input", errno);
        if (count == 0)
            break;
        length += static_cast<std::size_t>(count);
    }
    SecretText const whole(std::move(text)); // its buffer is wiped, also beyond the value
    return SecretText(whole.reveal().substr(0, length));
}

} // namespace writ::cli
