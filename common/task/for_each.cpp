#include "common/task/for_each.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "common/diag/error.hpp"
#include "common/task/guarded.hpp"

namespace airgap::task {

void for_each_index(std::size_t count, std::size_t jobs, std::stop_token stop,
                    const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  Guarded<std::exception_ptr> first_error;
  const auto run = [&] {
    while (!failed && !stop.stop_requested()) {
      const std::size_t index = next++;
      if (index >= count) return;
      try {
        work(index);
      } catch (...) {
        failed = true;
        first_error.with([](std::exception_ptr& error) {
          if (!error) error = std::current_exception();
        });
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < std::min(jobs, count); ++i) helpers.emplace_back(run);
    } catch (
        const std::system_error&) {  // no more threads, or no memory for their stacks: fewer do it (R139)
    }
    run();
  }
  first_error.with([](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  if (next < count) throw diag::Interrupted();
}

}  // namespace airgap::task
