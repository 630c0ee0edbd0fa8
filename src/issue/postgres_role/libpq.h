// SPDX-License-Identifier: Apache-2.0
//
// libpq, loaded when the first connection is made. Linked in, it would bring twenty libraries (Kerberos, LDAP, GnuTLS) into every process
// that never asks a database: agents, and each command a person types. Private to postgres_role.
#pragma once

#include "base/result.h"

#include <postgresql/libpq-fe.h>

namespace writ::issue {

// The functions that are used, under their own names.
struct Libpq {
    decltype(&::PQclear) PQclear;
    decltype(&::PQconnectPoll) PQconnectPoll;
    decltype(&::PQconnectStartParams) PQconnectStartParams;
    decltype(&::PQconsumeInput) PQconsumeInput;
    decltype(&::PQencryptPasswordConn) PQencryptPasswordConn;
    decltype(&::PQerrorMessage) PQerrorMessage;
    decltype(&::PQfinish) PQfinish;
    decltype(&::PQflush) PQflush;
    decltype(&::PQfreemem) PQfreemem;
    decltype(&::PQgetResult) PQgetResult;
    decltype(&::PQgetvalue) PQgetvalue;
    decltype(&::PQisBusy) PQisBusy;
    decltype(&::PQnfields) PQnfields;
    decltype(&::PQntuples) PQntuples;
    decltype(&::PQresultErrorField) PQresultErrorField;
    decltype(&::PQresultStatus) PQresultStatus;
    decltype(&::PQsendQuery) PQsendQuery;
    decltype(&::PQsetNoticeProcessor) PQsetNoticeProcessor;
    decltype(&::PQsetnonblocking) PQsetnonblocking;
    decltype(&::PQsocket) PQsocket;
    decltype(&::PQstatus) PQstatus;
    decltype(&::PQtransactionStatus) PQtransactionStatus;
};

// unavailable: it is not installed. Loaded once; thread-safe.
Result<> load_libpq();
// REQUIRES: load_libpq() has succeeded.
Libpq const& libpq();

} // namespace writ::issue
