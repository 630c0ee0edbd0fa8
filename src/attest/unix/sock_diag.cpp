// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/sock_diag.h"

#include "base/bytes.h"
#include "base/unique_fd.h"

#include <arpa/inet.h>
#include <array>
#include <cstddef>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace writ::attest {

namespace {

struct Question {
    nlmsghdr header {};
    inet_diag_req_v2 request {};
};

inet_diag_sockid id_of(std::uint16_t client, std::uint16_t server)
{
    inet_diag_sockid id {};
    id.idiag_sport = htons(client);
    id.idiag_dport = htons(server);
    id.idiag_src[0] = htonl(INADDR_LOOPBACK);
    id.idiag_dst[0] = htonl(INADDR_LOOPBACK);
    id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return id;
}

Question question_of(std::uint16_t client, std::uint16_t server)
{
    Question question;
    question.header.nlmsg_len = sizeof(question);
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    question.request.sdiag_family = AF_INET;
    question.request.sdiag_protocol = IPPROTO_TCP;
    question.request.idiag_states = 1U << TCP_ESTABLISHED;
    question.request.id = id_of(client, server);
    return question;
}

// SPEC: sock_diag(7): one message, of type SOCK_DIAG_BY_FAMILY, or an error.
Result<SocketOwner> parse_answer(BytesView answer, std::uint16_t client, std::uint16_t server)
{
    nlmsghdr header {};
    inet_diag_msg message {};
    if (answer.size() < sizeof(header))
        return unavailable("socket diagnostics answer too little");
    std::memcpy(&header, answer.data(), sizeof(header));
    if (header.nlmsg_type == NLMSG_ERROR)
        return not_found("no such socket");
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || answer.size() < NLMSG_HDRLEN + sizeof(message))
        return unavailable("socket diagnostics answer something else");
    std::memcpy(&message, answer.data() + NLMSG_HDRLEN, sizeof(message));
    // SECURITY: where there is no such connection the kernel looks for a listener, which is somebody else.
    if (message.idiag_state != TCP_ESTABLISHED || message.id.idiag_sport != htons(client) || message.id.idiag_dport != htons(server) || message.idiag_inode == 0)
        return not_found("no such socket is established");
    return SocketOwner { message.idiag_uid, message.idiag_inode };
}

} // namespace

Result<SocketOwner> ask_sock_diag(std::uint16_t client, std::uint16_t server)
{
    UniqueFd const socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    auto const question = question_of(client, server);
    if (!socket.is_open() || ::send(socket.get(), &question, sizeof(question), 0) != static_cast<ssize_t>(sizeof(question)))
        return unavailable("the kernel's socket diagnostics may not be asked");
    // The kernel answers before send() returns: it is never waited for.
    std::array<std::uint8_t, 8192> answer {};
    auto const size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    if (size < 0)
        return unavailable("the kernel's socket diagnostics do not answer");
    return parse_answer(BytesView(answer).first(static_cast<std::size_t>(size)), client, server);
}

} // namespace writ::attest
