#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>

namespace airgap::task {

/// Calls `work(i)` for every i below `count`, in that order, on up to `jobs` threads, and on fewer where the
/// system has no more. Starts nothing new after a failure or a stop request, waits for what runs, then throws
/// the first error, or Interrupted when items are left: the line after it is only reached when all are done.
/// What runs is not told of a failure elsewhere.
void for_each_index(std::size_t count, std::size_t jobs, std::stop_token stop,
                    const std::function<void(std::size_t)>& work);

template <class T, class Work>
void for_each_bounded(std::span<T> items, std::size_t jobs, std::stop_token stop, Work&& work) {
  for_each_index(items.size(), jobs, stop, [&](std::size_t i) { work(items[i]); });
}

}  // namespace airgap::task
