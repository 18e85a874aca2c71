#pragma once

namespace airgap::cli {

/// What every program of ours does before anything else: descriptors 0 to 2 exist, so that no file of ours
/// can become "standard output"; SIGPIPE and SIGXFSZ become errors of the write; no core dump and no debugger
/// of another user's can read secrets (R134, R141). The umask stays (R143). Throws
/// CredentialsError when started setuid or setgid.
void set_up_process();

}  // namespace airgap::cli
