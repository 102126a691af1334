return require("nas").spaces.nasbench201 { channels = 4, cells = 1 }
