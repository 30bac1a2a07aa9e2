#pragma once

// wolfSSL's headers in the order that they need of each other.

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include <wolfssl/quic.h>
