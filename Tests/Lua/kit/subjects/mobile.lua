return require("nas").spaces.mobile { channels = { 8, 16 }, strides = { 2, 2 }, depths = { 1, 2 }, stem = 8 }
