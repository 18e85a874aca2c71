#pragma once

#include <memory>

namespace airgap::raii {

/// Deleter that calls a C library's release function.
template <auto Release>
struct ReleaseWith {
  template <class T>
  void operator()(T* handle) const noexcept {
    static_cast<void>(Release(handle));
  }
};

/// Owns a C library's object: `using EasyHandle = CHandle<CURL, curl_easy_cleanup>;`
template <class T, auto Release>
using CHandle = std::unique_ptr<T, ReleaseWith<Release>>;

}  // namespace airgap::raii
