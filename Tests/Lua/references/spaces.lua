-- Written by Tests/References/space_references.py.
return {
  darts = {
    { name = "V2", channels = 36, cells = 20, size = 32,
      text = "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])",
      params = 3349342, macs = 528359050 },
    { name = "drawn1", channels = 8, cells = 6, size = 16,
      text = "Genotype(normal=[('skip_connect', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 1), ('dil_conv_3x3', 2), ('max_pool_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('sep_conv_5x5', 3)], normal_concat=[2, 3, 4, 5], reduce=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('max_pool_3x3', 2), ('dil_conv_3x3', 0), ('sep_conv_5x5', 3), ('dil_conv_3x3', 0), ('avg_pool_3x3', 3)], reduce_concat=[2, 3, 4, 5])",
      params = 50450, macs = 2674954 },
    { name = "drawn2", channels = 8, cells = 6, size = 16,
      text = "Genotype(normal=[('max_pool_3x3', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_5x5', 1), ('max_pool_3x3', 1), ('sep_conv_5x5', 2), ('dil_conv_3x3', 1), ('sep_conv_3x3', 3)], normal_concat=[2, 3, 4, 5], reduce=[('sep_conv_5x5', 0), ('skip_connect', 1), ('skip_connect', 0), ('sep_conv_3x3', 2), ('sep_conv_3x3', 1), ('sep_conv_5x5', 2), ('avg_pool_3x3', 1), ('avg_pool_3x3', 4)], reduce_concat=[2, 3, 4, 5])",
      params = 55234, macs = 2811658 },
    { name = "drawn3", channels = 8, cells = 6, size = 16,
      text = "Genotype(normal=[('skip_connect', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 0), ('max_pool_3x3', 1), ('sep_conv_5x5', 1), ('avg_pool_3x3', 3), ('sep_conv_5x5', 1), ('dil_conv_5x5', 3)], normal_concat=[2, 3, 4, 5], reduce=[('dil_conv_3x3', 0), ('dil_conv_5x5', 1), ('dil_conv_3x3', 0), ('avg_pool_3x3', 2), ('max_pool_3x3', 2), ('dil_conv_3x3', 3), ('dil_conv_5x5', 0), ('sep_conv_5x5', 1)], reduce_concat=[2, 3, 4, 5])",
      params = 60018, macs = 3382538 },
  },
  search_network = { params = 1930618 },
  mobilenet_v2 = { params = 3504872, macs = 300775272 },
  mobile_mixed = { params = 70638, macs = 1775038 },
}
