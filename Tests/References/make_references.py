"""Writes the reference numbers that the tests of NeuralNet compare with. The format is told in README.md.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python make_references.py
"""

from network_references import network_cases
from op_references import op_cases
from reference_file import ReferenceFile
from second_order_references import dirichlet_case, dirichlet_second_case, hessian_vector_case, second_order_cases
from training_references import nasbench201_case, optimiser_cases, schedule_cases

ops = ReferenceFile("ops")
for case in op_cases():
    ops.add(**case)
ops.write()

training = ReferenceFile("training")
for case in optimiser_cases():
    training.add(**case)
for case in schedule_cases():
    training.add(**case)
training.write()

network = ReferenceFile("nasbench201")
network.add(**nasbench201_case())
network.write()

networks = ReferenceFile("networks")
for case in network_cases():
    networks.add(**case)
networks.write()

second = ReferenceFile("second_order")
second.add(**hessian_vector_case())
second.add(**dirichlet_case())
second.add(**dirichlet_second_case())
for case in second_order_cases():
    second.add(**case)
second.write()
