// Comparing and wiping of secrets by OpenSSL.
#include "crypto/constant_time.h"

#include <openssl/crypto.h>

namespace signalbox::crypto {

bool equal_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::string& secret) {
    secret.resize(secret.capacity());  // within what is allocated: nothing moves
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

}  // namespace signalbox::crypto
