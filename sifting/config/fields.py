"""Every default, once, beside all else that is known of it."""

from dataclasses import dataclass

from sifting.config.own import CODE
from sifting.config.setting import field, settings

DEVICES = ("auto", "cpu", "cuda", "mps")  # where to compute; auto: cuda where there is one, else cpu
SEEDS = 2**32 - 1  # the largest seed of a generator of numpy


@dataclass(frozen=True)
class Config:
    """One run of training, pruning and rewinding, complete: equal configs give equal results, up to rounding.

    The defaults are those of Pellegrini & Biroli 2022; where their paper is silent, those of their
    released code. A new field's default must switch the new thing off, and no default ever
    changes: `key` hashes what differs from the defaults, and stored results are found by it.
    What a field is, takes and acts on stands beside its default: see Setting.

    Raises ValueError, naming the field and what it takes, for values that no run can have.
    """

    # By hand, as a table: first what a field is and what it acts on, then its choices, then what it says.
    # fmt: off
    dataset: str = field("photos", of="images", registry=("sifting.data:SOURCES",), own="images",
        says="where images come from")
    image_size: int = field(32, of="images", low=4, high=512, unit="pixels",
        says="height and width of photos and fields; other images have the size they have")
    labels: str = field("fine", of="images", stacks=True,
        choices={
            "fine": "the dataset's own classes; of photos picture and cell, 240 in all",
            "picture": "photos only: the 15 pictures",
            "semantic": "photos in five groups of three pictures; ImageNet in groups of your own",
            "half": "half of the semantic groups as they are; classes of the others change places at random",
            "partial": "semantic groups; half of the classes of each change places at random",
            "random": "number of the fine class modulo `classes`",
            "scattered": "the same, of photos with a class drawn at random for each 1/32 x 1/32 of a picture",
        },
        says="what counts as a class")
    classes: int = field(0, of="images", low=0, only={"labels": ("random", "scattered")},
        says="number of classes of random and scattered labels; 0: 10")
    fraction: float = field(1.0, of="images", above=0, high=1, stacks=True,
        says="share of the training images that is used")
    train_images: int = field(1_000_000, of="images", low=2, unit="images", why="batch norm needs two",
        stacks=True,
        says="number of photos or fields to train on; other datasets use all that they have")
    val_images: int = field(10_000, of="images", low=1, unit="images",
        says="number of images that tell when to stop early")
    test_images: int = field(10_000, of="images", low=1, unit="images",
        says="number of images that give the final accuracy, and nothing else")
    normalize: str = field("mean-image", of="images",
        choices={
            "mean-image": "(x - mean training image) / 255",
            "patch": "(x - mean of the image) / (its standard deviation + 0.03 * 255)",
            "fixed": "(x - 128) / 16",
            "pixels": "(x - mean) / standard deviation, over all pixels of all training images",
        },
        says="how bytes x become the numbers that a network sees")
    transform: str = field("none", of="images",
        choices={
            "none": "nothing",
            "rotate": "all images are turned by 20 degrees",
            "translate": "training images move by any number of pixels, anew in every batch",
            "crop-flip": "training images move by up to 4 pixels, zeros outside, and are mirrored or not, "
            "anew in every batch",
        },
        says="what is done to images")
    clone: str = field("none", of="images",
        choices={
            "none": "images as they are",
            "joint": "a Gaussian for each class, with the covariance of all pixels of all channels",
            "one": "one Gaussian for all images, with that covariance of all",
            "channel": "a Gaussian for each class and channel, fitted to 100 images, as the authors do",
            "phase": "the phases of the Fourier transform at random, the same in all channels",
            "pixels": "the pixels in another order, the same in all images and channels",
        },
        says="what replaces the images and has a part of their statistics")
    teacher: str = field("none", of="images",
        choices={
            "none": "the labels as they are",
            "same": "a network trained on the images as they are says the labels, of clones too",
            "reordered": "the same network, which sees the pixels in another order",
        },
        says="who says the class of an image")
    gain: float = field(0.0, of="images", low=0, high=100, only={"dataset": ("fields",)},
        says="how far the images of the dataset fields are from Gaussian; 0: Gaussian")
    pictures: int = field(0, of="images", low=0, high=15, unit="pictures", only={"dataset": ("photos",)},
        says="number of photographs that images are cut from, chosen by data_seed; 0: all")
    data_seed: int = field(0, of="images", low=0, high=SEEDS, stacks=True,
        says="decides which images are drawn; all seeds of an experiment share it")

    model: str = field("fcn", of="network", registry=("sifting.training.models:BUILDERS",), own="network",
        says="kind of network")
    widths: tuple[int, ...] = field((1024, 1024, 1024), of="network", low=1, unit="units",
        only={"model": ("fcn",)},
        says="units of each hidden layer")
    width: float = field(1.0, of="network", low=0.001, high=16, never={"model": ("fcn", CODE)},
        says="factor of the channels and units of a convolutional network")
    batch_norm: str = field("before", of="network", only={"model": ("fcn",)},
        choices={
            "before": "before each linear layer, as in the released code",
            "after": "after each hidden linear layer",
            "none": "nowhere",
        },
        says="where batch norm is")
    start_density: float = field(1.0, of="network", above=0, high=1, compared=True,
        says="share of the prunable weights to start with, at random, of the same variance")

    optimizer: str = field("sgd", of="training",
        choices={"sgd": "stochastic gradient descent", "adam": "Adam"},
        says="what makes a step of a gradient")
    lr: float = field(0.1, of="training", low=0, high=1_000_000, stacks=True,
        says="learning rate of SGD and Adam")
    momentum: float = field(0.0, of="training", low=0, below=1,
        says="momentum of SGD")
    weight_decay: float = field(0.0, of="training", low=0, high=1_000_000,
        says="the gradient of a weight grows by this times the weight")
    batch_size: int = field(1000, of="training", low=2, unit="images", why="batch norm needs two",
        says="images of one step")
    steps: int = field(100_000, of="training", low=1, unit="optimizer steps",
        says="length of the training of a level")
    schedule: str = field("constant", of="training",
        choices={"constant": "as it is", "drops": "a tenth from 50 % of the steps on, a hundredth from 75 %"},
        says="the learning rate over the steps")
    evaluations: int = field(100, of="training", low=1,
        says="accuracies measured in a level, evenly spaced; early stopping picks the best")
    replacement: bool = field(True, of="training",
        says="batches are drawn with replacement, as in the released code; false: by epochs")
    reshuffle: bool = field(True, of="training", stacks=True,
        says="every level has other batches; false: the same ones in the same order")

    criterion: str = field("magnitude", of="pruning", later=True, stacks=True, compared=True,
        registry=("sifting.pruning.criteria:CRITERIA", "sifting.pruning.criteria:SCHEMES"),
        says="how weights are ranked")
    scope: str = field("layer", of="pruning", later=True, stacks=True,
        choices={"layer": "each layer", "global": "the whole network"},
        says="within what weights are ranked")
    saliency_of: str = field("trained", of="pruning", later=True, stacks=True,
        choices={"trained": "after training", "rewound": "before training, as they are rewound to"},
        says="the weights that a criterion looks at")
    rounds: int = field(1, of="pruning", low=1, high=10_000, later=True, stacks=True,
        says="number of prunings that make a level, each with new scores, as in SynFlow")
    iterative: bool = field(True, of="pruning", later=True, stacks=True,
        says="each level is pruned from the one before; false: from the dense one, one-shot")
    prune_fraction: float = field(0.3, of="pruning", above=0, below=1, later=True, stacks=True,
        says="share of the kept weights that a level removes")
    rounding: str = field("down", of="pruning", later=True, stacks=True,
        choices={"down": "the one below, as in the released code", "nearest": "the nearest one, as in torch"},
        says="whole number of weights to remove")
    levels: int = field(17, of="pruning", low=0, high=254, later=True, stacks=True,
        why="one byte a weight holds the level of its removal",
        says="most levels after the dense one; a run ends where too few units are alive")
    min_alive: float = field(0.2, of="pruning", low=0, high=1, later=True, stacks=True,
        says="a run ends where a linear layer has a smaller share of units with an input")
    prune_biases: bool = field(True, of="pruning", stacks=True,
        says="biases are pruned with the weights of their layer, as in the released code")
    prune_head: bool = field(False, of="pruning", stacks=True,
        says="the output layer is pruned, too")
    treatment: str = field("rewind", of="pruning", later=True, stacks=True, compared=True,
        choices={
            "rewind": "they return to their values at rewind_step",
            "finetune": "they stay, and are trained at the last learning rate",
            "lr-rewind": "they stay, and are trained at all learning rates again",
            "reinit": "they are drawn again, as at initialization",
            "sigma-sign": "their sign at rewind_step, times the standard deviation in their layer",
            "sign": "their sign at rewind_step",
        },
        says="what becomes of the kept weights")
    exchange: str = field("none", of="pruning", later=True, results=("exchange",),
        choices={
            "none": "it stays",
            "moved": "every unit's at another place",
            "reordered": "its pixels in another order, the same for all units",
            "rewired": "drawn again, with as many inputs a unit and as many units an input",
            "in-degrees": "drawn again, with as many inputs a unit",
            "random": "drawn again",
            "clones": "that of the same ticket, found on a Gaussian clone of each class of the images",
        },
        says="what replaces the first mask of a ticket before its last training")
    rewind_step: int = field(1000, of="pruning", low=0, unit="optimizer steps",
        says="step of the first training that weights return to; 0: initialization")
    retrain: str = field("full", of="pruning", later=True,
        choices={"full": "all, as in the released code", "rest": "those after rewind_step"},
        says="which steps follow a pruning")
    retrain_steps: int = field(0, of="pruning", low=0, unit="optimizer steps", later=True,
        says="length of the training of all levels but the dense one; 0: the same")
    layerwise: int = field(0, of="pruning", low=0, high=254, unit="layers", later=True,
        says="layers pruned one by one, each while accuracy beats dense; 0: all together")

    snapshots: int = field(0, of="measuring", low=0, high=1_000, unit="networks",
        results=("utility", "portrait", "exchange"),
        says="number of networks measured in the first training, evenly from its start on")
    subsets: int = field(0, of="measuring", low=0, high=1_000_000, unit="sets", later=True,
        results=("utility", "portrait", "exchange"), least=1,
        says="number of random sets of weights whose utility is measured")
    probe_images: int = field(0, of="measuring", low=0, unit="images", later=True,
        results=("utility", "surface", "portrait", "exchange"), least=2,
        says="number of training images that utility and accuracy surfaces are measured on")
    entropy: float = field(0.0, of="measuring", low=0, below=1, later=True, results=("utility",),
        says="entropy of predictions utility is measured at, of 1 at most; 0: their own")
    cells: int = field(0, of="measuring", low=0, high=1_000, unit="cells", later=True,
        results=("surface", "portrait", "exchange"),
        says="size of an accuracy plane, across and down; 0: lines only")
    probed: str = field("every", of="measuring", later=True, results=("utility", "surface", "portrait"),
        choices={"every": "all", "last": "the last one only"},
        says="levels at which all of this is measured")

    seed: int = field(0, of="seed", low=0, high=SEEDS, stacks=True,
        says="initialization, batches and random masks derive from it")
    # fmt: on

    def __post_init__(self):
        for name, setting in settings(type(self)).items():
            if (value := getattr(self, name)) is not setting.default:
                object.__setattr__(self, name, setting.read(value))
        if self.layerwise > len(self.widths):
            raise ValueError(
                f"layerwise must be at most {len(self.widths)} hidden layers, not {self.layerwise}"
            )
        for name, whose in {"clone": "clones are", "teacher": "a teacher's labels are"}.items():
            if (value := getattr(self, name)) != "none" and self.transform != "none":
                raise ValueError(f"{whose} of images as they are: {name}={value} needs transform=none")
        for name in ("steps", "retrain_steps"):
            if self.rewind_step >= (getattr(self, name) or self.steps):
                raise ValueError(
                    f"rewind_step must be below {name} ({getattr(self, name)}), not {self.rewind_step}"
                )


SETTINGS = settings(Config)
FIELDS = tuple(SETTINGS)
