{
  # Built by scripts/build-native.mjs. No Xen header at compile time, no Xen library at link time.
  "targets": [
    {
      "target_name": "xen_bindings",
      "sources": [
        "native/module.cc",
        "native/library.cc",
        "native/error.cc",
        "native/logger.cc",
        "native/evtchn.cc",
        "native/foreignmemory.cc",
        "native/devicemodel.cc",
        "native/ctrl.cc",
        "native/dirty-log.cc",
        "native/host-control.cc",
        "native/store.cc",
        "native/ioreq-port.cc",
        "native/device-config.cc",
        "native/device-memory.cc",
        "native/wake-event.cc",
        "native/peer-credentials.cc",
        "native/program-pages.cc",
        "native/file-lock.cc",
        "native/glibc-compat.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_CPP_EXCEPTIONS"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-fvisibility=hidden", "-fexceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "libraries": ["-ldl"],
      "ldflags": [
        # A worker's end unloads an addon that only it has loaded; callbacks still on their way would jump into nothing.
        "-Wl,-z,nodelete",
        # The machine that builds may be newer than the machine that runs: carry the C++ runtime, and keep it private.
        "-static-libstdc++",
        "-static-libgcc",
        "-Wl,--version-script=<(module_root_dir)/native/exports.map",
        "-Wl,-z,relro,-z,now",
        "-Wl,-s"
      ]
    }
  ]
}
